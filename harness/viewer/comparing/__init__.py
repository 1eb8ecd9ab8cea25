"""Two to four debates held against each other: values, out of what everybody may know of them."""
