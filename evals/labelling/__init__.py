"""Labels given by people: what there is to label, what they gave, how far they agree."""
