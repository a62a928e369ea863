def test_probe(open_notebook, with_tests):
    nb = open_notebook("probe", [with_tests, "import ipywidgets as w\ns=w.IntSlider(); h=w.HTML('x')\ns.observe(lambda c: setattr(h,'value',str(c.new)),'value')\nw.VBox([s,h])", "print('re'+'ady')"])
    nb.run_all(until="ready")
    nb.page.locator(".widget-slider .noUi-handle").first.focus()
    nb.page.keyboard.press("ArrowRight")
    nb.page.locator(".widget-html-content", has_text="1").wait_for()
    nb.shoot("probe")
    nb.dark()
    nb.shoot("probe-dark", (800,))
    assert not nb.errors
