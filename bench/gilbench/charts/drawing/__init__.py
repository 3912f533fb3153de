"""How every chart is drawn: styles, axes, and graphs in layers."""
