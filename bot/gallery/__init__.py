"""A static site of what the community has dreamt: favorites, daily bags, family trees and timelapses."""
