"""Links of READMEs that GitHub understands and Sphinx does not, and links that nobody has to write.

A link to a folder leads to its README, one to any other file to a copy of it. Code such as `rlcore.sac.SAC`, the full
name of something in a package, leads to its documentation; where there is no such thing the build warns, and fails.
"""

import importlib
import posixpath
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

_PACKAGES = ("guidenet", "meld_jax", "metarl_baselines", "metarl_envs", "mi_repr", "pearl_jax", "rlcore")
_FULL_NAME = re.compile(rf"((?:{'|'.join(_PACKAGES)})(?:\.[A-Za-z_]\w*)+)(\(.*\))?", re.DOTALL)
_logger = logging.getLogger(__name__)


def link_folders(app: Sphinx, docname: str, source: list[str]) -> None:
    """Links a folder to the README in it, in the text of a page."""

    def lead_to_readme(match: re.Match[str]) -> str:
        target, anchor = match.groups("")
        page = posixpath.normpath(posixpath.join(posixpath.dirname(docname), target, "README"))
        return f"]({target}/README.md{anchor})" if page in app.env.found_docs else match[0]

    source[0] = re.sub(r"\]\(([\w./-]+)(#[\w-]+)?\)", lead_to_readme, source[0])


def find_thing(name: str) -> Any:
    """The module, class, function or value of a full name.

    Raises:
      AttributeError, ImportError: there is none.
    """
    module, _, last = name.rpartition(".")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return getattr(find_thing(module) if "." in module else importlib.import_module(module), last)


class LinkNames(SphinxPostTransform):
    """Links full names in backticks."""

    default_priority = 20

    def run(self, **kwargs: Any) -> None:
        """Goes through all code in lines of text; a list of changes also names what is gone."""
        self._history = self.env.docname.endswith("CHANGELOG")
        for node in list(self.document.findall(nodes.literal)):
            match = _FULL_NAME.fullmatch(node.astext())
            if match and not isinstance(node.parent, nodes.reference | nodes.title):
                self._link(node, match[1])

    def _link(self, node: nodes.literal, name: str) -> None:
        objects = self.env.get_domain("py").objects
        if name not in objects:
            try:
                thing = find_thing(name)
            except (AttributeError, ImportError):
                if not self._history:
                    _logger.warning("there is no %s", name, location=node, type="links", subtype="name")
                return
            name = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"
        if name in objects:
            entry = objects[name]
            link = make_refnode(self.app.builder, self.env.docname, entry.docname, entry.node_id, node.deepcopy(), name)
            node.replace_self(link)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", link_folders)
    app.add_post_transform(LinkNames)
    return {"parallel_read_safe": True}
