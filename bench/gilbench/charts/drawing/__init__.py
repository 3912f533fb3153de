"""What charts are drawn with: the house style, scales, intervals, and layered graphs."""
