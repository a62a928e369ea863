// Names for what ipywidgets leaves nameless: handles and numbers of sliders, and which button of a row is pressed.
const name = (panel) => {
  for (const slider of panel.querySelectorAll(".widget-slider")) {
    const label = slider.querySelector(".widget-label")?.textContent.trim() || "value";
    slider.querySelector(".noUi-handle")?.setAttribute("aria-label", label);
    const number = slider.querySelector(".widget-readout");
    number?.setAttribute("role", "textbox");
    number?.setAttribute("aria-label", `${label}, number`);
  }
  for (const row of panel.querySelectorAll(".widget-toggle-buttons")) {
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", row.querySelector(".widget-label")?.textContent.trim() || "choose one");
  }
  for (const button of panel.querySelectorAll("button.widget-toggle-button, .widget-toggle-buttons button")) {
    button.setAttribute("aria-pressed", button.classList.contains("mod-active"));
  }
};

function render({ el }) {
  const observer = new MutationObserver(() => name(panel));
  let panel = null;
  const wait = setInterval(() => { // a view is drawn before it gets its place on the page
    panel = el.closest(".fnb-panel");
    if (!panel) return;
    clearInterval(wait);
    name(panel);
    observer.observe(panel, { childList: true, subtree: true, attributeFilter: ["class"] });
  }, 100);
  return () => { clearInterval(wait); observer.disconnect(); };
}

export default { render };
