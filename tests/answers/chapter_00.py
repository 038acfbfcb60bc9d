"""Answers to the exercise of notebook 00."""

from answers import Answer

WRONG = [
    Answer("0.1", "side by side", given="67", says="text, not a product"),
    Answer("0.1", "a sum", given=13, says="a sum, not a product"),
    Answer("0.1", "words", given="forty-two", says="That is not what comes out: 'forty-two'"),
    Answer("0.1", "nothing", given="  ", says="Not attempted yet"),
]
RIGHT = [
    Answer("0.1", "a number", given=42),
    Answer("0.1", "text", given=" '42' "),
    Answer("0.1", "what %sql gives", given=[(42,)]),
]
