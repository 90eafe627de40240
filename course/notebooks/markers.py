"""The lines between which a student writes, and the words by which an empty blank is known."""

BEGIN, END = "*START OF YOUR CODE", "*END OF YOUR CODE"
UNWRITTEN = "is still to be written"  # in the sentence of each stub
