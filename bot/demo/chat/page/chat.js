"use strict";
/* The chat page. It shows what the server sends and sends what a person does; it knows nothing about the bot. */

const $ = (id) => document.getElementById(id);
const ids = new URLSearchParams(location.search);
const state = {
  me: ids.get("as") || "ada",
  channel: ids.get("channel"),
  hello: null,
  channels: [],
  messages: new Map(),   // id -> what the server sent
  pending: new Map(),    // n -> {text, channel} on its way
  waiting: new Map(),    // n -> control that was used
  busy: [],
  asked: 0,
  reply: null,
  sent: [],              // my texts, newest last, for the up arrow
  stick: true,           // keep the newest message in view
  following: 0,          // until when an answer to my click is scrolled to
  completions: { text: null, found: [] },
};
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const scrolling = () => calm.matches ? "auto" : "smooth";
let socket = null;
let retry = 250;

/* Building blocks */

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") element.className = value;
    else if (key === "html") element.innerHTML = value;   // rendered and escaped by the server
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const later = (a, b) => a.length !== b.length ? a.length - b.length : a < b ? -1 : a > b ? 1 : 0;
const person = (id) => state.hello.people.findIndex((one) => one.id === id);
const tone = (author) => author.bot ? "bot" : `tone${Math.max(person(author.id), 0) % 3}`;

function avatar(author) {
  return make("span", { class: `avatar ${tone(author)}`, "aria-hidden": "true" }, author.bot ? "" : author.name.slice(0, 1));
}

function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function when(iso) {
  const date = new Date(iso);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(iso).setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return `Today at ${clock(iso)}`;
  if (days === 1) return `Yesterday at ${clock(iso)}`;
  return `${date.toLocaleDateString()} ${clock(iso)}`;
}

function moment(unix, style) {
  const date = new Date(unix * 1000);
  if (style === "R") {
    const seconds = (date - Date.now()) / 1000;
    const [size, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]].find(([s]) => Math.abs(seconds) >= s) || [1, "second"];
    return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / size), unit);
  }
  const options = {
    t: { timeStyle: "short" }, T: { timeStyle: "medium" }, d: { dateStyle: "short" }, D: { dateStyle: "long" },
    f: { dateStyle: "long", timeStyle: "short" }, F: { dateStyle: "full", timeStyle: "short" },
  }[style];
  return date.toLocaleString([], options);
}

function tickTimes(root = document) {
  for (const time of root.querySelectorAll("time[data-unix]")) {
    time.textContent = moment(Number(time.dataset.unix), time.dataset.style);
    time.title = new Date(time.dataset.unix * 1000).toLocaleString();
  }
}

/* Talking with the server */

function connect() {
  const address = new URL(`ws?as=${encodeURIComponent(state.me)}`, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const line = socket = new WebSocket(address);
  line.onopen = () => {
    retry = 250;
    if (state.channel) say({ do: "open", channel: state.channel });
  };
  line.onmessage = (event) => {
    if (line !== socket) return;
    const { type, value, n, error, form, completions } = JSON.parse(event.data);
    if (type === "done") done(n, error, form, completions);
    else hears[type](value);
  };
  line.onclose = () => {
    if (line !== socket) return;
    document.body.dataset.connected = "false";
    for (const n of [...state.pending.keys(), ...state.waiting.keys()]) done(n);
    drawTyping();
    setTimeout(connect, retry);
    retry = Math.min(retry * 2, 4000);
  };
}

function say(action) {
  const n = ++state.asked;
  if (socket.readyState !== WebSocket.OPEN) {
    complain("The connection was lost. The page reconnects on its own once the demo runs.", true);
    return null;
  }
  socket.send(JSON.stringify({ ...action, n }));
  return n;
}

function done(n, error, form, completions) {
  if (n === state.completing) {
    state.completing = null;
    if (composer.value === state.completions.text) {
      state.completions.found = completions || [];
      suggest();
    }
    return;
  }
  if (state.submitting === n) {
    state.submitting = null;
    $("form").removeAttribute("aria-busy");
    $("form-error").textContent = error || "";
    if (!error) $("form").close();
    return;
  }
  if (state.pending.delete(n)) drawPending();
  const control = state.waiting.get(n);
  if (control) {
    state.waiting.delete(n);
    control.removeAttribute("aria-busy");
  }
  if (error) complain(error);
  if (form) showForm(form);
}

const hears = {
  hello(hello) {
    state.hello = hello;
    state.channel = state.channel || hello.home;
    $("server").textContent = hello.server;
    document.title = hello.bot;
    $("as").replaceChildren(...hello.people.map((one) => make("option", { value: one.key, selected: one.key === state.me }, one.name)));
    const me = hello.people.findIndex((one) => one.key === hello.me);
    $("my-avatar").className = `avatar tone${me % 3}`;
    $("my-avatar").textContent = hello.people[me].name.slice(0, 1);
  },
  channels(channels) {
    state.channels = channels;
    if (!channels.some((channel) => channel.id === state.channel)) openChannel(state.hello.home);
    drawChannels();
    drawTold();
  },
  messages({ channel, fresh, new: arrived, gone }) {
    if (channel !== state.channel) return;
    document.body.dataset.connected = "true";
    if ($("error").dataset.connection) $("error").hidden = true;
    if (fresh) {
      state.messages.clear();
      $("messages").replaceChildren();
      state.stick = true;
      lastTop = 0;
    }
    for (const id of gone) {
      state.messages.delete(id);
      find(id)?.remove();
    }
    const known = new Set(state.messages.keys());
    for (const message of arrived) place(message, !fresh);
    regroup();
    drawPending();
    seen();
    // A message of mine, or the answer to my click, is what I want to see.
    follow(arrived.some((message) => message.author.id === state.hello.id
      || (!known.has(message.id) && message.asked_by === state.hello.id && Date.now() < state.following)));
  },
  busy(channels) {
    state.busy = channels;
    drawTyping();
  },
};

/* Channels */

const unreadKey = () => `read:${location.host}:${state.me}`;
function readMarks() {
  try { return JSON.parse(sessionStorage.getItem(unreadKey())) || {}; } catch { return {}; }
}

function seen() {
  const open = state.channels.find((channel) => channel.id === state.channel);
  if (!open || !open.last) return;
  markRead(open);
}

function isUnread(channel, marks) {
  return channel.id !== state.channel && channel.last && (!marks[channel.id] || later(marks[channel.id], channel.last) < 0);
}

/* A private message must not be missed: that is how the bot explains a mistake. */
function drawTold() {
  const channel = state.channels.find((one) => one.private && one.told !== null && isUnread(one, readMarks()));
  $("told").hidden = !channel;
  if (!channel || $("told").dataset.last === channel.last) return;
  $("told").dataset.last = channel.last;
  $("told").replaceChildren(make("span", { class: "avatar bot", "aria-hidden": "true" }),
    make("div", { class: "words" }, make("b", {}, `${channel.name} wrote to you`), make("div", { class: "text", html: channel.told || "" })),
    make("button", { type: "button", class: "open", onclick: () => openChannel(channel.id) }, "Open"),
    make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => markRead(channel) }, "✕"));
  enliven($("told"));
}

function markRead(channel) {
  const marks = readMarks();
  if (marks[channel.id] === channel.last) return;
  marks[channel.id] = channel.last;
  sessionStorage.setItem(unreadKey(), JSON.stringify(marks));
  drawChannels();
  drawTold();
}

function drawChannels() {
  const marks = readMarks();
  $("channels").replaceChildren(...state.channels.map((channel) => {
    const open = channel.id === state.channel;
    const unread = isUnread(channel, marks);
    return make("button", {
      type: "button",
      class: [channel.thread && "thread", channel.private && "private-talk", unread && "unread"].filter(Boolean).join(" "),
      "data-channel-id": channel.id,
      "aria-current": open ? "true" : null,
      "aria-label": `${channel.thread ? "Thread" : channel.private ? "Private messages with" : "Channel"} ${channel.name}${unread ? ", unread" : ""}`,
      title: channel.name,
      onclick: () => openChannel(channel.id),
    }, make("span", {}, channel.name));
  }));
  const open = state.channels.find((channel) => channel.id === state.channel);
  if (!open) return;
  $("title").textContent = open.name;
  $("title").className = open.thread ? "thread" : open.private ? "private-talk" : "";
  const parent = state.channels.find((channel) => channel.id === open.parent);
  $("topic").textContent = open.topic || (parent ? `A thread in #${parent.name}` : "");
  $("beginning").querySelector("h3").textContent = open.thread || open.private ? open.name : `Welcome to #${open.name}!`;
  $("beginning").querySelector("p").textContent = open.thread ? `The start of a thread${parent ? ` in #${parent.name}` : ""}.` : open.private ? "Only you and the bot can read this." : open.topic || "";
  $("composer").placeholder = `Message ${open.private ? "@" : open.thread ? "" : "#"}${open.name}`;
}

function openChannel(id) {
  toggleSide(false);
  if (id === state.channel) return;
  state.channel = id;
  ids.set("channel", id);
  history.replaceState(null, "", `?${ids}`);
  replyTo(null);
  $("newest").hidden = true;
  drawChannels();
  drawTold();
  say({ do: "open", channel: id });
  $("composer").focus();
}

function toggleSide(open) {
  const was = document.body.classList.contains("open");
  if (was === open) return;
  document.body.classList.toggle("open", open);
  $("menu").setAttribute("aria-expanded", String(open));
  $("veil").hidden = !open;
  $("main").inert = open;
  if (open) $("channels").querySelector("[aria-current]")?.focus();
  else $("menu").focus();
}

/* Messages */

const find = (id) => document.querySelector(`#messages > [data-message-id="${id}"]`);

function place(message, arriving) {
  const known = state.messages.has(message.id);
  state.messages.set(message.id, message);
  const element = draw(message);
  const old = find(message.id);
  if (old) {
    keepPictures(old, element);
    const focused = old.contains(document.activeElement) && document.activeElement.dataset.customId;
    old.replaceWith(element);
    if (focused) element.querySelector(`[data-custom-id="${CSS.escape(focused)}"]`)?.focus();
    return;
  }
  if (arriving && !known) element.classList.add("arriving");
  let before = $("messages").querySelector(".pending");
  for (let last = before ? before.previousElementSibling : $("messages").lastElementChild;
    last && later(last.dataset.messageId, message.id) > 0; last = last.previousElementSibling) before = last;
  $("messages").insertBefore(element, before);
}

/* An edited message keeps its loaded pictures, so that nothing flickers and no animation restarts. */
function keepPictures(old, fresh) {
  const loaded = new Map([...old.querySelectorAll("img")].map((image) => [image.src, image]));
  for (const image of fresh.querySelectorAll("img")) {
    const kept = loaded.get(image.src);
    if (kept && kept.alt === image.alt) image.replaceWith(kept);
  }
}

function regroup() {
  let previous = null;
  for (const element of $("messages").children) {
    const message = state.messages.get(element.dataset.messageId);
    if (!message) continue;
    const joined = previous && previous.author.id === message.author.id && !message.reply && !message.used && !message.system && !previous.system
      && new Date(message.time) - new Date(previous.time) < 7 * 60e3;
    element.classList.toggle("first", !joined);
    element.querySelector(":scope > .avatar").hidden = joined;
    element.querySelector(":scope > .head").hidden = joined;
    element.querySelector(":scope > .side-time").hidden = !joined;
    previous = message;
  }
}

function draw(message) {
  const author = message.author;
  const classes = ["message", message.ephemeral && "ephemeral", message.highlight && "highlight", message.reply && "reply",
    message.used && "used", message.system && "system"];
  const text = message.system
    ? `<b>${escapeText(author.name)}</b> started a thread.`
    : message.thinking ? '<span class="thinking">is thinking…</span>' : message.html;
  const element = make("li", { class: classes.filter(Boolean).join(" "), "data-message-id": message.id, "data-author": author.name },
    above(message),
    avatar(author),
    make("span", { class: "side-time", "aria-hidden": "true" }, clock(message.time)),
    make("div", { class: "head" },
      make("span", { class: `author ${tone(author)}` }, author.name),
      author.bot ? make("span", { class: "badge" }, "BOT") : null,
      make("time", { datetime: message.time, title: new Date(message.time).toLocaleString() }, when(message.time))),
    make("div", { class: "text", html: text }),
    ...message.embeds.map(embed),
    attachments(message.attachments),
    ...message.rows.map((row) => controls(message, row)),
    message.thread ? starter(message.thread) : null,
    message.ephemeral ? privacy(message) : null,
    message.ephemeral || message.system ? null : make("div", { class: "tools" },
      make("button", { type: "button", title: "Reply", "aria-label": `Reply to ${author.name}`, onclick: () => replyTo(message) }, "↩ Reply"),
      apps(message)),
  );
  const body = element.querySelector(".text");
  if (message.edited && message.text && !message.thinking) (body.lastElementChild || body).append(make("span", { class: "edited" }, " (edited)"));
  if (/^(?:\p{Extended_Pictographic}[\uFE0F\u200D\p{Emoji_Modifier}]*\s*){1,6}$/u.test(message.text)) body.classList.add("jumbo");
  enliven(element);
  return element;
}

/* The menu "Apps" of a message: what Discord shows after a right click. */
function apps(message) {
  if (!state.hello.menus.length || state.channels.find((one) => one.id === state.channel)?.private) return null;
  const list = make("ul", { class: "menu", hidden: true }, ...state.hello.menus.map((name) => make("li", {}, make("button", {
    type: "button", onclick: () => { shut(); use(opener, { do: "menu", channel: state.channel, message: message.id, name }); },
  }, name))));
  const opener = make("button", { type: "button", "aria-expanded": "false", "aria-haspopup": "true", "aria-label": "Apps", title: "Apps",
    onclick: () => {
      list.hidden = !list.hidden;
      opener.setAttribute("aria-expanded", String(!list.hidden));
      if (!list.hidden) list.querySelector("button").focus();
    } }, "⋯ Apps");
  const shut = () => { list.hidden = true; opener.setAttribute("aria-expanded", "false"); };
  const box = make("span", { class: "apps" }, opener, list);
  box.addEventListener("keydown", (event) => { if (event.key === "Escape") { shut(); opener.focus(); } });
  box.addEventListener("focusout", (event) => { if (!box.contains(event.relatedTarget)) shut(); });
  return box;
}

function escapeText(text) {
  return make("i", {}, text).innerHTML;
}

function above(message) {
  if (message.used) {
    return make("div", { class: "above" }, make("b", {}, message.used.name), " used ", make("span", { class: "chip" }, message.used.command));
  }
  if (!message.reply) return null;
  return make("div", { class: "above" }, make("button", { type: "button", onclick: () => flash(message.reply.id) },
    message.reply.name ? make("b", {}, `@${message.reply.name} `) : null, message.reply.text));
}

function flash(id) {
  const target = find(id);
  if (!target) return;
  target.scrollIntoView({ block: "center", behavior: scrolling() });
  target.classList.remove("flash");
  void target.offsetWidth;
  target.classList.add("flash");
}

/* Commands and channels in the bot's messages can be clicked. */
function enliven(element) {
  tickTimes(element);
  for (const code of element.querySelectorAll(":not(pre) > code")) {
    const text = code.textContent;
    if (!/^[!/]\w/.test(text)) continue;
    code.classList.add("command");
    code.tabIndex = 0;
    code.setAttribute("role", "button");
    code.title = "Copy to the message box";
    press(code, () => fill(text));
  }
  for (const mention of element.querySelectorAll("[data-open]")) press(mention, () => openChannel(mention.dataset.open));
}

function press(element, action) {
  element.addEventListener("click", action);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); action(); }
  });
}

function picture(file, widest = 520, tallest = 440) {
  const image = make("img", { src: file.url, alt: file.alt || file.name || "", width: file.width, height: file.height, decoding: "async" });
  // Reserve its space until it has loaded, so that nothing jumps.
  const scale = Math.min(1, widest / file.width, Math.min(tallest, innerHeight * 0.6) / file.height);
  if (file.width) image.style.width = `${Math.round(file.width * scale)}px`;
  image.addEventListener("load", () => { follow(); if (file.moves && calm.matches) freeze(image); });
  return make("button", { type: "button", class: "picture", "aria-label": `Enlarge: ${file.alt || file.name || "picture"}`, onclick: () => enlarge(file) }, image);
}

/* For who wants little motion, an animation stands still until it is enlarged. */
function freeze(image) {
  const still = make("canvas", { width: image.naturalWidth, height: image.naturalHeight, role: "img", "aria-label": image.alt, class: "still" });
  still.style.width = image.style.width;
  still.getContext("2d").drawImage(image, 0, 0);
  image.replaceWith(still);
}

function enlarge(file) {
  const box = $("lightbox");
  const image = box.querySelector("img");
  image.src = file.url;
  image.alt = file.alt || "";
  // As large as the window allows, whatever its own size is.
  image.style.setProperty("--ratio", file.width ? file.width / file.height : 1);
  box.querySelector("p").textContent = file.alt || file.name || "";
  box.showModal();
}

function attachments(files) {
  if (!files.length) return null;
  return make("div", { class: files.length > 1 ? "attachments many" : "attachments" }, ...files.map((file) => {
    if (!file.type.startsWith("image/") || !file.width) {
      return make("a", { class: "file attachment", href: file.url, download: file.name },
        make("span", {}, file.name, make("small", {}, `${Math.ceil(file.size / 1024)} KB`)));
    }
    return make("figure", { class: "attachment" }, files.length > 1 ? picture(file, 250, 250) : picture(file), file.alt ? make("span", { class: "alt", "aria-hidden": "true" }, "ALT") : null);
  }));
}

function embed(card) {
  const title = card.title && (/^https?:/.test(card.url || "")
    ? make("a", { href: card.url, target: "_blank", rel: "noopener noreferrer", html: card.title }) : make("span", { html: card.title }));
  const footer = [card.footer, card.time && when(card.time)].filter(Boolean).join(" • ");
  const element = make("article", { class: "embed" },
    make("div", { class: "body" },
      card.author ? make("div", { class: "by" }, card.icon ? make("img", { src: card.icon.url, alt: "" }) : null, card.author) : null,
      title ? make("div", { class: "title text" }, title) : null,
      card.html ? make("div", { class: "description text", html: card.html }) : null,
      card.fields.length ? make("div", { class: "fields" }, ...card.fields.map((field) =>
        make("div", { class: field.inline ? "field inline" : "field" },
          make("div", { class: "name text", html: field.name }), make("div", { class: "text", html: field.html })))) : null),
    card.thumbnail ? make("div", { class: "thumb" }, picture(card.thumbnail, 80, 80)) : null,
    card.image ? make("div", { class: "large attachment" }, picture(card.image, 440)) : null,
    footer ? make("div", { class: "footer" }, footer) : null);
  if (card.color) element.style.borderLeftColor = card.color;
  return element;
}

function controls(message, row) {
  return make("div", { class: "row", role: "group" }, ...row.flatMap((control) => control.kind === "select" ? select(message, control) : [button(message, control)]));
}

function button(message, control) {
  const face = [control.emoji ? make("span", { class: "emoji" }, control.emoji) : null, control.label ? make("span", {}, control.label) : null].filter(Boolean);
  if (control.url) return make("a", { href: control.url, target: "_blank", rel: "noopener noreferrer" }, ...face, "↗");
  const element = make("button", {
    type: "button", class: control.style, "data-custom-id": control.custom_id, disabled: control.disabled,
    "aria-label": control.label ? null : control.emoji,
  }, ...face);
  element.addEventListener("click", () => use(element, { do: "click", channel: state.channel, message: message.id, custom_id: control.custom_id }));
  return element;
}

function select(message, control) {
  const many = control.max > 1;
  const element = make("select", { "data-custom-id": control.custom_id, disabled: control.disabled, multiple: many, "aria-label": control.placeholder },
    many ? null : make("option", { value: "", disabled: true, selected: !control.options.some((option) => option.default) }, control.placeholder),
    ...control.options.map((option) => make("option", { value: option.value, selected: option.default, title: option.description },
      [option.emoji, option.label, option.description && `— ${option.description}`].filter(Boolean).join(" "))));
  const choose = () => use(element, { do: "select", channel: state.channel, message: message.id, custom_id: control.custom_id,
    values: [...element.selectedOptions].map((option) => option.value).filter(Boolean) });
  if (!many) {
    element.addEventListener("change", choose);
    return [element];
  }
  const wanted = control.min === control.max ? `${control.min}` : `${control.min} to ${control.max}`;
  const chooser = make("button", { type: "button", class: "primary choose", onclick: choose });
  const count = () => {
    const chosen = element.selectedOptions.length;
    chooser.textContent = `Choose ${wanted}${chosen ? ` (${chosen} chosen)` : ""}`;
    chooser.disabled = control.disabled || chosen < control.min || chosen > control.max;
  };
  element.addEventListener("change", count);
  count();
  return [make("div", { class: "many" }, make("span", { "aria-hidden": "true" }, control.placeholder), element), chooser];
}

function use(element, action) {
  if (element.getAttribute("aria-busy")) return;
  const n = say(action);
  if (n === null) return;
  element.setAttribute("aria-busy", "true");
  state.waiting.set(n, element);
  state.following = Date.now() + 60e3;
}

/* A form that the bot shows (a modal) */

function showForm(form) {
  $("form-title").textContent = form.title;
  $("form-error").textContent = "";
  $("fields").replaceChildren(...form.fields.map((field) => {
    const input = make(field.long ? "textarea" : "input", { name: field.id, maxlength: field.most, minlength: field.least || null, required: field.required, placeholder: field.placeholder, autocomplete: "off" });
    input.value = field.value;
    return make("label", {}, field.label, field.about ? make("small", {}, field.about) : null, input);
  }));
  $("form").dataset.form = form.id;
  $("form").showModal();
}

$("form").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (state.submitting) return;
  const values = Object.fromEntries([...$("fields").querySelectorAll("input, textarea")].map((field) => [field.name, field.value]));
  state.submitting = say({ do: "submit", channel: state.channel, form: $("form").dataset.form, values });
  if (state.submitting !== null) $("form").setAttribute("aria-busy", "true");
});
$("form-cancel").addEventListener("click", () => $("form").close());

function starter(thread) {
  const count = thread.count === 1 ? "1 message" : `${thread.count} messages`;
  return make("button", { type: "button", class: "starter", "data-open-thread": thread.id, onclick: () => openChannel(thread.id) },
    make("b", {}, thread.name), make("span", {}, `${count} ›`));
}

function privacy(message) {
  return make("div", { class: "private" }, "Only you can see this · ",
    make("button", { type: "button", class: "dismiss", onclick: () => say({ do: "dismiss", channel: state.channel, message: message.id }) }, "Dismiss message"));
}

/* What is on its way */

function drawPending() {
  for (const old of $("messages").querySelectorAll(".pending")) old.remove();
  const me = { id: state.hello?.id, name: state.hello?.people.find((one) => one.key === state.me)?.name || "", bot: false };
  for (const { text, channel, echo } of state.pending.values()) {
    const arrived = [...state.messages.values()].some((message) => later(message.id, echo) > 0 && message.author.id === me.id && message.text === text);
    if (channel !== state.channel || arrived) continue;
    $("messages").append(make("li", { class: "message first pending" }, avatar(me),
      make("div", { class: "head" }, make("span", { class: `author ${tone(me)}` }, me.name)), make("div", { class: "text" }, text)));
  }
}

let typingTimer = null;
function drawTyping() {
  clearTimeout(typingTimer);
  const box = $("typing");
  if (document.body.dataset.connected !== "true") {
    box.textContent = "Connecting…";
  } else if (!state.busy.includes(state.channel)) {
    box.replaceChildren();
  } else {
    // Not for what takes the blink of an eye.
    typingTimer = setTimeout(() => box.replaceChildren(
      make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i")),
      make("b", {}, state.hello.bot), " is dreaming…"), 200);
  }
}

function complain(words, connection = false) {
  if (connection) $("error").dataset.connection = "lost";
  else delete $("error").dataset.connection;
  $("error").replaceChildren(words, make("button", { type: "button", "aria-label": "Close", onclick: () => { $("error").hidden = true; } }, "✕"));
  $("error").hidden = false;
}

/* Scrolling: follow at the end; stay when scrolled up. */

const scroller = $("scroller");
function follow(mine = false) {
  if (mine) state.stick = true;
  if (state.stick) scroller.scrollTop = scroller.scrollHeight;
  else if ([...state.messages.keys()].pop() !== state.lastSeen) $("newest").hidden = false;
}
let lastTop = 0;
scroller.addEventListener("scroll", () => {
  // Only scrolling up leaves the end: new messages move the end away, too.
  const near = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
  if (near) state.stick = true;
  else if (scroller.scrollTop < lastTop) state.stick = false;
  lastTop = scroller.scrollTop;
  if (state.stick) {
    $("newest").hidden = true;
    state.lastSeen = [...state.messages.keys()].pop();
  }
}, { passive: true });
const stay = new ResizeObserver(() => { if (state.stick) scroller.scrollTop = scroller.scrollHeight; });
stay.observe(scroller);
stay.observe($("messages"));
$("newest").addEventListener("click", () => {
  state.stick = true;
  scroller.scrollTo({ top: scroller.scrollHeight, behavior: scrolling() });
});

/* Composer */

const composer = $("composer");
function grow() {
  composer.style.height = "auto";
  composer.style.height = `${composer.scrollHeight}px`;
}

function fill(text) {
  composer.value = text;
  grow();
  composer.focus();
  composer.setSelectionRange(text.length, text.length);
  suggest();
}

function replyTo(message) {
  state.reply = message ? message.id : null;
  $("replying").hidden = !message;
  if (!message) return;
  $("replying").replaceChildren(`Replying to ${message.author.name}`, make("button", { type: "button", "aria-label": "Cancel the reply", onclick: () => replyTo(null) }, "✕"));
  composer.focus();
}

function send() {
  const text = composer.value.trim();
  if (!text) return;
  const echo = [...state.messages.keys()].reduce((a, b) => later(a, b) > 0 ? a : b, "0");
  const n = say({ do: "send", channel: state.channel, text, reply: state.reply || undefined });
  if (n === null) return;
  $("error").hidden = true;
  if (!text.startsWith("/")) state.pending.set(n, { text, channel: state.channel, echo });
  state.sent.push(text);
  replyTo(null);
  composer.value = "";
  grow();
  suggest();
  drawPending();
  follow(true);
}

let chosen = 0;
let picked = false;   // whether one was gone to with the arrows
function suggestions() {
  const text = composer.value;
  if (!/^[!/]/.test(text) || !state.hello) return [];
  const commands = state.hello.commands.filter((command) => command.name.startsWith(text) && command.name !== text).slice(0, 12);
  if (commands.length || !text.startsWith("/")) {
    return commands.map((one) => ({ name: one.name, usage: one.usage, about: one.about, text: `${one.name}${one.usage ? " " : ""}` }));
  }
  return state.completions.text === text ? state.completions.found.slice(0, 25).filter((one) => one.text !== text)
    .map((one) => ({ name: one.name, usage: "", about: "", text: one.text })) : [];
}

/* What may follow in an option of a slash command: the bot knows. */
let asking = null;
function complete() {
  const text = composer.value;
  clearTimeout(asking);
  if (!/^\/\S+\s/.test(text) || !state.hello || state.completions.text === text) return;
  asking = setTimeout(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    state.completions = { text, found: [] };
    state.completing = say({ do: "complete", channel: state.channel, text });
  }, 150);
}

function suggest() {
  complete();
  const found = suggestions();
  chosen = Math.min(chosen, Math.max(found.length - 1, 0));
  $("suggestions").hidden = !found.length;
  composer.setAttribute("aria-expanded", String(found.length > 0));
  const marked = found.length > 0 && (picked || !isWhole());   // what Enter would take
  $("suggestions").replaceChildren(...found.map((one, index) => make("li", {
    role: "option", id: `suggestion-${index}`, "aria-selected": String(marked && index === chosen),
    onmousedown: (event) => { event.preventDefault(); take(one); },
  }, make("b", {}, one.name), make("i", {}, one.usage), make("span", {}, one.about))));
  if (marked) composer.setAttribute("aria-activedescendant", `suggestion-${chosen}`);
  else composer.removeAttribute("aria-activedescendant");
}

function take(one) {
  chosen = 0;
  picked = false;
  fill(one.text);
}

function hideSuggestions() {
  $("suggestions").hidden = true;
  composer.setAttribute("aria-expanded", "false");
  composer.removeAttribute("aria-activedescendant");
}

/* Whether the text can be sent as it is: it is a whole command, or follows one. */
function isWhole() {
  const text = composer.value.trimEnd();
  return state.hello.commands.some((command) => text === command.name || text.startsWith(`${command.name} `));
}

composer.addEventListener("input", () => { chosen = 0; picked = false; grow(); suggest(); });
composer.addEventListener("blur", hideSuggestions);
composer.addEventListener("focus", suggest);
composer.addEventListener("keydown", (event) => {
  const found = $("suggestions").hidden ? [] : suggestions();
  if (event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    if (found.length && (picked || !isWhole())) take(found[chosen]);
    else send();
  } else if (event.key === "Tab" && found.length && !event.shiftKey) {
    event.preventDefault();
    take(found[chosen]);
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length) {
    event.preventDefault();
    // The first press marks the first one, if the text could be sent as it is.
    if (picked || !isWhole()) chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
    picked = true;
    suggest();
    $(`suggestion-${chosen}`).scrollIntoView({ block: "nearest" });
  } else if (event.key === "ArrowUp" && !composer.value && state.sent.length) {
    event.preventDefault();
    fill(state.sent[state.sent.length - 1]);
  } else if (event.key === "Escape") {
    if (found.length) hideSuggestions();
    else replyTo(null);
  }
});
$("send").addEventListener("click", () => { send(); composer.focus(); });
$("menu").addEventListener("click", () => toggleSide(!document.body.classList.contains("open")));
$("veil").addEventListener("click", () => toggleSide(false));
addEventListener("keydown", (event) => { if (event.key === "Escape" && document.body.classList.contains("open")) toggleSide(false); });
$("lightbox").addEventListener("click", () => $("lightbox").close());
$("as").addEventListener("change", () => {
  state.me = $("as").value;
  ids.set("as", state.me);
  history.replaceState(null, "", `?${ids}`);
  state.pending.clear();
  replyTo(null);
  $("error").hidden = true;
  toggleSide(false);
  const old = socket;
  connect();
  old.close();
});
addEventListener("keydown", (event) => {
  const typing = /^(?:INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName) || document.querySelector("dialog[open]");
  if (!typing && event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey) composer.focus();
});
setInterval(tickTimes, 15000);
connect();
