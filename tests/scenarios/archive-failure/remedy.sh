# The disk is there again.
mounted=yes
