"""A static site of what the community has dreamed: favorites, daily bags, family trees and timelapses."""
