// Tokens in a row, each with a bar that is as long as its probability. One is selected, by click or arrow key.
function chip(model, token, index) {
  const element = document.createElement("span");
  element.className = `chip ${token.kind}`;
  element.setAttribute("role", "option");
  element.setAttribute("aria-label", token.label);
  element.title = token.label;
  element.textContent = token.text;
  element.style.setProperty("--share", `${100 * token.share}%`);
  element.addEventListener("click", () => choose(model, index));
  return element;
}

function choose(model, index) {
  model.set("selected", Math.max(0, Math.min(index, model.get("chips").length - 1)));
  model.save_changes();
}

function render({ model, el }) {
  const row = document.createElement("div");
  row.className = "fnb-chips";
  row.tabIndex = 0;
  row.setAttribute("role", "listbox");
  row.setAttribute("aria-label", "Tokens of the answer");
  row.append(...model.get("chips").map((token, index) => chip(model, token, index)));
  const mark = () =>
    [...row.children].forEach((element, index) => {
      const selected = index === model.get("selected");
      element.setAttribute("aria-selected", selected);
      element.id = element.id || `fnb-${Math.random().toString(36).slice(2)}`;
      if (selected) row.setAttribute("aria-activedescendant", element.id);
    });
  row.addEventListener("keydown", (event) => {
    const now = model.get("selected");
    const to = { ArrowLeft: now - 1, ArrowUp: now - 1, ArrowRight: now + 1, ArrowDown: now + 1, Home: 0, End: Infinity }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would go to another cell
    choose(model, to);
  });
  model.on("change:selected", mark);
  mark();
  el.append(row);
  return () => model.off("change:selected", mark);
}

export default { render };
