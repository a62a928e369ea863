// Boxes over a picture. The model holds pixels of the picture; the page shows percent of it, so any size on the screen will do.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CORNERS = [[0, 1], [2, 1], [0, 3], [2, 3]]; // which of x1, y1, x2, y2 each of the four corners moves
const SMALLEST_SIDE = 2; // as in tasks.py
const HELP = "Drag to draw a box. Drag it or its corners to change it. Keys: Enter draws or asks, arrows move, Shift+arrows resize, Delete removes.";

function render({ model, el }) {
  const size = [model.get("width"), model.get("height")];
  const least = (axis) => Math.min(SMALLEST_SIDE, size[axis]);
  const clip = (value, axis) => Math.min(Math.max(Math.round(value), 0), size[axis % 2]);
  const add = (parent, tag, name, text = "") => {
    const made = document.createElement(tag);
    made.className = name;
    made.textContent = text;
    return parent.appendChild(made);
  };
  const stage = add(el, "div", "fnb-region");
  const picture = add(stage, "img", "picture");
  const shapes = stage.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
  const said = add(el, "div", "fnb-region-said");
  let boxes = [], chosen = -1, drag = null;

  const help = () => model.get("help") || HELP;
  const name = (index) => model.get("names")[index] || `Box ${index + 1} of ${boxes.length}`;
  const words = (box) => `x ${box[0]} to ${box[2]}, y ${box[1]} to ${box[3]} px`;
  const say = (hovered) => {
    const now = hovered || model.get("notice") || (boxes[chosen] ? `${name(chosen)}: ${words(boxes[chosen])}` : help());
    if (said.textContent !== now) said.textContent = now;
  };
  const paint = () => {
    const shown = [...stage.querySelectorAll(".box")];
    shown.slice(boxes.length).forEach((extra) => extra.remove());
    boxes.forEach((box, index) => {
      const made = shown[index] || newBox(index);
      made.classList.toggle("chosen", index === chosen);
      made.setAttribute("aria-label", `${name(index)}: ${words(box)}`);
      made.style.cssText = ["left", "top", "width", "height"].map((side, at) =>
        `${side}: ${(100 * (at < 2 ? box[at] : box[at] - box[at - 2])) / size[at % 2]}%`).join(";");
    });
    say();
  };
  const newBox = (index) => {
    const made = add(stage, "div", "box");
    Object.assign(made, { tabIndex: 0, onfocus: () => { if (!drag && chosen !== index) { chosen = index; tell(); } } });
    made.setAttribute("role", "group");
    CORNERS.forEach((_, corner) => { add(made, "i", `corner c${corner}`).dataset.corner = corner; });
    const remove = Object.assign(add(made, "button", "remove", "×"), { type: "button", onclick: () => removeBox(index) });
    remove.setAttribute("aria-label", `Remove ${name(index)}`);
    return made;
  };
  const tell = () => {
    model.set({ boxes: boxes.map((box) => [...box]), chosen });
    model.save_changes();
    paint();
  };
  const removeBox = (index) => {
    boxes.splice(index, 1);
    chosen = boxes.length - 1;
    tell();
    (stage.querySelector(".box.chosen") || stage).focus();
  };
  const draw = (box) => {
    boxes = model.get("several") ? [...boxes, box] : [box];
    chosen = boxes.length - 1;
  };
  const move = (box, by) => {
    const [dx, dy] = by.map((d, axis) => Math.min(Math.max(d, -box[axis]), size[axis] - box[axis + 2]));
    return [box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy].map(clip);
  };
  const ordered = ([a, b, c, d]) => [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
  const place = (event) => {
    const on = picture.getBoundingClientRect();
    return [((event.clientX - on.left) / on.width) * size[0], ((event.clientY - on.top) / on.height) * size[1]];
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || drag || event.target.className === "remove") return;
    event.preventDefault();
    const from = place(event), hit = event.target.closest(".box"), before = { boxes: [...boxes], chosen };
    stage.setPointerCapture(event.pointerId);
    if (hit) chosen = [...stage.querySelectorAll(".box")].indexOf(hit);
    else draw([...from, ...from].map(clip));
    drag = { id: event.pointerId, from, box: boxes[chosen], before, corner: hit ? event.target.dataset.corner : 3, new: !hit };
    paint();
    stage.querySelectorAll(".box")[chosen].focus({ preventScroll: true });
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    const by = place(event).map((value, axis) => value - drag.from[axis]);
    const box = [...drag.box];
    if (drag.corner !== undefined) CORNERS[drag.corner].forEach((side, axis) => { box[side] = clip(box[side] + by[axis], axis); });
    boxes[chosen] = drag.corner === undefined ? move(box, by) : ordered(box);
    paint();
  });
  const finish = (event, cancelled) => {
    if (!drag || (event.pointerId !== undefined && event.pointerId !== drag.id)) return;
    const [x1, y1, x2, y2] = boxes[chosen], slip = (4 * size[0]) / picture.clientWidth;
    const click = drag.new && (x2 - x1 < slip || y2 - y1 < slip); // a slip of the finger is no box
    if (cancelled || click) ({ boxes, chosen } = drag.before);
    else boxes[chosen] = [Math.min(x1, size[0] - least(0)), Math.min(y1, size[1] - least(1)), Math.max(x2, x1 + least(0)), Math.max(y2, y1 + least(1))];
    drag = null;
    tell();
  };
  stage.addEventListener("pointerup", (event) => finish(event, false));
  stage.addEventListener("pointercancel", (event) => finish(event, true));
  stage.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key], box = boxes[chosen], onStage = event.target === stage;
    if (event.key === "Escape" && drag) finish(event, true);
    else if (event.key === "Enter" && !onStage && event.target.className !== "remove") return event.preventDefault(), event.stopPropagation(), model.send({ ask: true });
    else if (event.key === "Enter" && onStage) draw([size[0] / 4, size[1] / 4, size[0] * 0.75, size[1] * 0.75].map(clip));
    else if (arrow && box && !drag) {
      const by = arrow.map((step, axis) => step * (event.altKey ? 1 : Math.max(1, Math.round(size[axis] / 100))));
      boxes[chosen] = event.shiftKey
        ? [box[0], box[1], Math.max(clip(box[2] + by[0], 0), box[0] + least(0)), Math.max(clip(box[3] + by[1], 1), box[1] + least(1))]
        : move(box, by);
    } else if (["Delete", "Backspace"].includes(event.key) && box && !drag) return event.preventDefault(), event.stopPropagation(), removeBox(chosen);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (!drag) tell();
    if (onStage) stage.querySelectorAll(".box")[chosen]?.focus({ preventScroll: true });
  });

  const paintShapes = () => {
    shapes.replaceChildren(...model.get("shapes").map((shape, index) => {
      const path = document.createElementNS(shapes.namespaceURI, "path");
      const name = [shape.label, shape.score === null ? "" : shape.score.toFixed(2)].filter(Boolean).join(" ") || "no label";
      const hover = (on) => { say(on ? name : ""); model.set("hovered", on ? index : -1); model.save_changes(); };
      const set = { d: shape.parts.map((part) => `M${part.join("L")}Z`).join(""), stroke: shape.colour, fill: shape.colour, tabindex: 0, role: "img", "aria-label": name };
      Object.entries(set).forEach(([key, value]) => path.setAttribute(key, value));
      path.appendChild(document.createElementNS(shapes.namespaceURI, "title")).textContent = name;
      Object.assign(path, { onpointerenter: () => hover(true), onpointerleave: () => hover(false), onfocus: () => hover(true), onblur: () => hover(false) });
      return path;
    }));
  };
  const paintPicture = () => {
    size.splice(0, 2, model.get("width"), model.get("height"));
    URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(new Blob([model.get("picture")]));
    shapes.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
    stage.style.maxWidth = `${model.get("shown")}px`;
    Object.assign(stage.style, { aspectRatio: `${size[0]} / ${size[1]}` });
  };
  const paintWords = () => {
    picture.alt = model.get("alt") || `Picture of ${size[0]} by ${size[1]} pixels`;
    stage.setAttribute("aria-label", `${picture.alt}. ${help()}`);
  };
  const paintBoxes = () => {
    if (drag) return;
    boxes = model.get("boxes").map((box) => [...box]);
    chosen = Math.min(model.get("chosen"), boxes.length - 1);
    paint();
  };
  stage.tabIndex = 0;
  stage.dataset.lmSuppressShortcuts = "true"; // or JupyterLab takes Delete and the arrows for its cells
  stage.setAttribute("role", "application");
  said.setAttribute("aria-live", "polite");
  shapes.setAttribute("preserveAspectRatio", "none");
  picture.draggable = false;
  paintWords();
  paintPicture();
  paintShapes();
  paintBoxes();
  model.on("change:alt", paintWords);
  model.on("change:picture", paintPicture);
  model.on("change:shapes", paintShapes);
  model.on("change:boxes", paintBoxes);
  model.on("change:chosen", paintBoxes);
  model.on("change:names", paintBoxes);
  model.on("change:notice", () => say());
  return () => {
    URL.revokeObjectURL(picture.src);
    for (const [trait, paints] of [["alt", paintWords], ["picture", paintPicture], ["shapes", paintShapes], ["boxes", paintBoxes], ["chosen", paintBoxes], ["names", paintBoxes]]) model.off(`change:${trait}`, paints);
  };
}

export default { render };
