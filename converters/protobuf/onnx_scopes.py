"""Names of ONNX's nested graphs, which may use one name for several things."""


class Scope:
    """Names of one graph, made different from those of all other graphs.

    Inner graphs see the names of the outer ones; two branches may have the same names.
    """

    def __init__(self, outer: "Scope | None" = None) -> None:
        self._outer = outer
        self._taken: set[str] = set() if outer is None else outer._taken
        self._names: dict[str, str] = {}

    def define(self, name: str) -> None:
        """Enter a name of this graph."""
        if not name or name in self._names:
            return
        unique, count = name, 1
        while unique in self._taken:
            count += 1
            unique = f"{name}#{count}"
        self._taken.add(unique)
        self._names[name] = unique

    def __call__(self, name: str) -> str:
        """Return what a name stands for in this graph."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope._names:
                return scope._names[name]
            scope = scope._outer
        return name
