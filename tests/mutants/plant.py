"""Plants faults in a copy of the sources, each behind a switch.

cargo-mutants lists a fault as a span of a file and its replacement. A planted fault stands next to
the original, and `crate::planted(number)` chooses between them at run time. So one build serves all
faults.
"""

import dataclasses

import tree_sitter
import tree_sitter_rust

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))
CONSTANT = ("const_item", "static_item", "const_block", "macro_definition")


@dataclasses.dataclass
class Edit:
    """The text that replaces the bytes from `first` to `last`."""

    first: int
    last: int
    text: str
    # The expression or function that the compiler may reject because of the edit.
    whole: tree_sitter.Node

    @property
    def growth(self):
        return len(self.text.encode()) - (self.last - self.first)

    def overlaps(self, other):
        return self.first < other.last and other.first < self.last


class Source:
    """A file with the edits that plant its faults, by their numbers."""

    def __init__(self, path):
        self.path = path
        self.original = path.read_bytes()
        self.root = PARSER.parse(self.original).root_node
        self.edits = {}

    def plant(self, number, fault):
        """Adds a fault. Returns whether it can be switched and overlaps no other."""
        first, last = (self.offset(fault["span"][end]) for end in ("start", "end"))
        node = self.root.descendant_for_byte_range(first, last)
        rewrite = REWRITES.get(fault["genre"])
        if rewrite is None or is_constant(node):
            return False
        edit = rewrite(node, fault["replacement"], f"crate::planted({number})")
        if edit is None or any(edit.overlaps(other) for other in self.edits.values()):
            return False
        self.edits[number] = edit
        return True

    def offset(self, place):
        """Returns the byte at a line and a column. Both begin at 1, and columns are characters."""
        lines = self.original.split(b"\n")[: place["line"]]
        line = lines.pop().decode()
        return sum(len(line) + 1 for line in lines) + len(line[: place["column"] - 1].encode())

    def written(self):
        """Returns the text of the file with its faults."""
        text = self.original
        for edit in sorted(self.edits.values(), key=lambda edit: edit.first, reverse=True):
            text = text[: edit.first] + edit.text.encode() + text[edit.last :]
        return text

    def faults_at(self, first_line, last_line):
        """Returns the faults that the compiler rejects by an error in these lines."""
        text = self.written()

        def touches(first, last):
            begin = first + sum(it.growth for it in self.edits.values() if it.first < first)
            end = last + sum(it.growth for it in self.edits.values() if it.first <= last)
            lines = (1 + text.count(b"\n", 0, offset) for offset in (begin, end))
            return next(lines) <= last_line and first_line <= next(lines)

        edits = self.edits.items()
        own = {number for number, it in edits if touches(it.first, it.last)}
        # An arm that is missing is an error of the whole match.
        return own or {
            number for number, it in edits if touches(it.whole.start_byte, it.whole.end_byte)
        }


def is_constant(node):
    """Returns whether a node is evaluated by the compiler, before anything can be switched."""
    while node is not None:
        if node.type in CONSTANT:
            return True
        if node.type == "function_item":
            modifiers = [it for it in node.children if it.type == "function_modifiers"]
            return any(b"const" in it.text.split() for it in modifiers)
        node = node.parent
    return False


def ancestor(node, kind):
    while node is not None and node.type != kind:
        node = node.parent
    return node


def return_value(node, new, switch):
    """Returns another value from a function at once."""
    function = ancestor(node, "function_item")
    body = function and function.child_by_field_name("body")
    if body is None:
        return None
    at = body.start_byte + 1
    return Edit(at, at, f" if {switch} {{ return {new}; }}", body)


def replace_operator(node, new, switch):
    """Puts another operator between the same operands."""
    whole = node.parent
    if whole.type not in ("binary_expression", "compound_assignment_expr"):
        return None
    names = ("left", "operator", "right")
    left, old, right = (whole.child_by_field_name(name).text.decode() for name in names)
    # The operand may end with a comment, so the operator begins a line.
    text = f"(if {switch} {{ {left}\n{new} {right}\n}} else {{ {left}\n{old} {right}\n}})"
    return Edit(whole.start_byte, whole.end_byte, text, whole)


def delete_operator(node, _, switch):
    """Leaves the operand without its operator."""
    whole = node.parent
    if whole.type != "unary_expression":
        return None
    text = whole.text.decode()
    text = f"(if {switch} {{ {text[1:]} }} else {{ {text} }})"
    return Edit(whole.start_byte, whole.end_byte, text, whole)


def delete_arm(node, _, switch):
    """Never takes an arm."""
    return guard_arm(node, f"!{switch}", "&&")


def replace_guard(node, new, switch):
    """Ignores the condition of an arm."""
    return guard_arm(node, switch, "||") if new == "true" else guard_arm(node, f"!{switch}", "&&")


def guard_arm(node, condition, operator):
    """Adds a condition to that of an arm, if any."""
    arm = ancestor(node, "match_arm")
    pattern = arm and arm.child_by_field_name("pattern")
    if pattern is None:
        return None
    whole = ancestor(arm, "match_expression")
    guard = pattern.child_by_field_name("condition")
    if guard is None:
        return Edit(pattern.end_byte, pattern.end_byte, f" if {condition}", whole)
    if guard.type.startswith("let"):
        return None
    text = f"{condition} {operator} ({guard.text.decode()})"
    return Edit(guard.start_byte, guard.end_byte, text, whole)


REWRITES = {
    "FnValue": return_value,
    "BinaryOperator": replace_operator,
    "UnaryOperator": delete_operator,
    "MatchArm": delete_arm,
    "MatchArmGuard": replace_guard,
}


def plant(folder, faults, count):
    """Plants the first `count` faults that can be. Returns them, and their sources by path."""
    sources, planted = {}, []
    for fault in faults:
        if len(planted) == count:
            break
        path = fault["file"]
        if path not in sources:
            sources[path] = Source(folder / path)
        if sources[path].plant(len(planted), fault):
            planted.append(fault)
    return planted, {path: source for path, source in sources.items() if source.edits}
