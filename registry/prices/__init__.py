"""Price tables: imported lists and own prices, and what a call would cost by them."""
