"""Reads prices as shops write them, in whatever place."""

import re
import unicodedata
from typing import Final

CODES: Final = frozenset((
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP",
    "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP",
    "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD",
    "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK",
    "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP",
    "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP",
    "SLE", "SOS", "SRD", "SSP", "STN", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD",
    "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER",
    "ZAR", "ZMW",
))  # fmt: skip
"""The currencies of ISO 4217."""

SIGNS: Final = {
    "$": "USD AUD CAD NZD SGD HKD TWD MXN ARS CLP COP UYU", "US$": "USD", "U$S": "USD", "A$": "AUD",
    "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "S$": "SGD", "SG$": "SGD", "HK$": "HKD",
    "NT$": "TWD", "MX$": "MXN", "MEX$": "MXN", "R$": "BRL", "AR$": "ARS", "CL$": "CLP", "CLP$": "CLP",
    "COL$": "COP", "COP$": "COP", "MOP$": "MOP", "RD$": "DOP", "TT$": "TTD", "J$": "JMD", "€": "EUR",
    "£": "GBP", "¥": "JPY CNY", "CN¥": "CNY", "JP¥": "JPY", "円": "JPY", "元": "CNY TWD HKD", "원": "KRW",
    "₩": "KRW", "₹": "INR", "₫": "VND", "₺": "TRY", "₽": "RUB", "₱": "PHP", "฿": "THB", "₪": "ILS",
    "₴": "UAH", "₸": "KZT", "₦": "NGN", "₵": "GHS", "₡": "CRC", "₲": "PYG", "₾": "GEL", "₼": "AZN",
    "֏": "AMD", "₮": "MNT", "₭": "LAK", "៛": "KHR", "৳": "BDT", "د.إ": "AED", "ر.س": "SAR", "ر.ق": "QAR",
    "د.ك": "KWD", "د.ب": "BHD", "ج.م": "EGP", "د.م": "MAD",
}  # fmt: skip
"""What signs stand for: the usual currency first, then others that a shop may mean by it."""

WORDS: Final = {
    "euro": "EUR", "euros": "EUR", "eur": "EUR", "kr": "SEK NOK DKK ISK", "skr": "SEK", "nkr": "NOK",
    "dkr": "DKK", "rs": "INR PKR LKR NPR MUR", "re": "INR", "zł": "PLN", "zl": "PLN", "kč": "CZK",
    "kc": "CZK", "ft": "HUF", "lei": "RON MDL", "лв": "BGN", "руб": "RUB", "р": "RUB", "грн": "UAH",
    "тг": "KZT", "din": "RSD", "дин": "RSD", "tl": "TRY", "s/": "PEN", "rm": "MYR", "rp": "IDR", "r": "ZAR",
    "đ": "VND", "vnđ": "VND", "fr": "CHF", "sfr": "CHF", "rmb": "CNY", "ntd": "TWD", "php": "PHP",
    "dh": "AED MAD", "dhs": "AED MAD", "nis": "ILS", "tk": "BDT", "ksh": "KES", "tsh": "TZS", "ush": "UGX",
    "cfa": "XOF XAF", "fcfa": "XOF XAF", "l.e": "EGP", "le": "EGP", "sr": "SAR", "qr": "QAR", "kd": "KWD",
    "bd": "BHD", "bs": "BOB VES", "dollars": "USD",
}  # fmt: skip
"""The same for words, in lower case; a dot may follow."""


def either(names: dict[str, str]) -> str:
    """An expression that matches any of the names, longest first."""
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))


LETTER: Final = r"[^\W\d_]"
CODE: Final = re.compile(
    rf"(?<!{LETTER})([A-Z]{{3}})(?=[\s$.:]{{0,3}}\d)|(?<=\d)[\s.,–-]{{0,3}}([A-Z]{{3}})(?!{LETTER})"
)
SIGN: Final = re.compile(
    rf"(?<!{LETTER})(?:{either({sign: '' for sign in SIGNS if sign[0].isascii() and len(sign) > 1})})"
    rf"|{either({sign: '' for sign in SIGNS if len(sign) == 1 or not sign[0].isascii()})}"
    rf"|(?i:(?<!{LETTER})(?:{either(WORDS)})(?!{LETTER})\.?)"
)
EXACT: Final = re.compile(r"(?<!\d)\d{4,}+[.,]\d{3}(?!\d)")
"""No group of thousands has four digits, so what follows the separator is a fraction."""
SEPARATORS: Final = str.maketrans(
    {"’": "'", "ʼ": "'", "´": "'", "`": "'", "٬": ",", "٫": ".", "–": "-", "—": "-"}
)
LONGEST: Final = 100
"""Characters of a price that are read."""


def price(said: str, currency: str = "", default: str = "") -> tuple[str, str]:
    """A price as (decimal number, ISO 4217 code); both empty if it says no number, or 0.

    `currency` is what the shop says besides, a code or a sign. `default` is the code of prices that name no
    currency, and of those whose sign may mean it: "$" is AUD in a shop with `default="AUD"`.
    """
    text = unicodedata.normalize("NFKC", said[:LONGEST]).translate(SEPARATORS).replace(" $", "$")
    if not any(letter.isdigit() for letter in text):
        return "", ""
    from price_parser import Price  # lazily: loading it takes longer than reading a page

    sign = SIGN.search(text)
    # The dot of "Rs.50" is none of the number, but the euro sign of "35€99" is.
    number = text if sign is None or sign[0] in SIGNS else SIGN.sub(" ", text, count=1)
    amount = Price.fromstring(number, decimal_separator=fraction(number)).amount
    if not amount:
        return "", ""
    named = code(unicodedata.normalize("NFKC", currency[:LONGEST]).strip(), default)
    return f"{amount:f}", named or code(text, default) or default.upper()


def fraction(number: str) -> str | None:
    """The decimal separator where it would be taken for that of thousands; else None."""
    exact = EXACT.search(number)
    return exact[0][-4] if exact else None


def code(text: str, default: str = "") -> str:
    """The ISO 4217 code of a currency that a text names; empty if it names none."""
    if (upper := text.upper()) in CODES:
        return upper
    for match in CODE.finditer(text):
        if (found := match[1] or match[2]) in CODES:
            return found
    sign = SIGN.search(text)
    meanings = (SIGNS.get(sign[0]) or WORDS[sign[0].rstrip(".").lower()]).split() if sign else [""]
    return default.upper() if default.upper() in meanings else meanings[0]
