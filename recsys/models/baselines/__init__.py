"""Models to compare with, one file each; each foreign library lives in one of them."""
