// One file from this computer. It travels in pieces, because a notebook server closes the line when a message is over 10 MB.
const PIECE = 2 ** 21;

function render({ model, el }) {
  const add = (tag, more) => el.appendChild(Object.assign(document.createElement(tag), more));
  const input = add("input", { type: "file", accept: "image/*", hidden: true, ariaLabel: "A picture from this computer" });
  add("button", { type: "button", className: "jupyter-button", textContent: "Choose a picture", onclick: () => input.click() });
  input.onchange = async () => {
    const file = input.files[0];
    if (!file) return;
    const { name, size } = file;
    if (size > model.get("most")) model.send({ name, size, refused: true });
    else for (let at = 0; at === 0 || at < size; at += PIECE) {
      model.send({ name, size, at }, undefined, [await file.slice(at, at + PIECE).arrayBuffer()]);
    }
    input.value = ""; // so that the same file can be chosen again
  };
}

export default { render };
