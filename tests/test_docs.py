"""What the pages and docstrings show runs, and their links lead somewhere."""

import doctest
import importlib
import pkgutil
import re

import pytest

import boxloss
from shared_data import ROOT

MODULES = sorted(found.name for found in pkgutil.walk_packages(boxloss.__path__, "boxloss.") if not found.name.endswith("__main__"))
PAGES = sorted(page.relative_to(ROOT).as_posix() for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_docstrings_run(module):
    names = {"np": importlib.import_module("numpy"), "torch": importlib.import_module("torch")}
    result = doctest.testmod(importlib.import_module(module), extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    found = sum(len(test.examples) for module in MODULES for test in finder.find(importlib.import_module(module)))
    assert found >= len(MODULES) // 4


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_pages_runs(page):
    names: dict[str, object] = {}  # a page is read from its beginning
    for code in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL):
        if code.startswith(">>>"):
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            runner.run(doctest.DocTestParser().get_doctest(code, {}, page, page, 0))
            assert runner.summarize(verbose=False).failed == 0
        else:
            exec(compile(code, page, "exec"), names)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("script", re.findall(r"`?(?<![\w./])((?:scripts|benchmarks)/\w+(?:\.py)?)\b", "\n".join((ROOT / page).read_text() for page in PAGES)))
def test_scripts_that_pages_name_exist(script):
    assert (ROOT / script).exists()


def test_the_readme_has_the_catalogue():
    table = (ROOT / "README.md").read_text().partition("| family | names |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) - set(boxloss.aliases()) == set(boxloss.catalogue())
