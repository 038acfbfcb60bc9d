"""What the exercises on the way back share."""


def functions(up: object, down: object) -> str:
    """upgrade() and downgrade() of a line or several."""
    text = ""
    for function, lines in (("upgrade", up), ("downgrade", down)):
        many = [lines] if isinstance(lines, str) else list(lines)  # type: ignore[call-overload]
        text += f"def {function}() -> None:\n" + "".join(f"    {line}\n" for line in many) + "\n\n"
    return text.rstrip() + "\n"
