// Arrow keys, space and page keys turn the slides; n shows the notes of the speaker. A slide too full is set smaller.
const slides = [...document.querySelectorAll("section")];
const current = () => slides.findIndex((s) => s.getBoundingClientRect().bottom > innerHeight / 2);
const turn = (by) => slides[Math.max(0, Math.min(slides.length - 1, current() + by))].scrollIntoView();
addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 }[event.key];
  if (by) { event.preventDefault(); turn(by); }
  if (event.key === "Home") slides[0].scrollIntoView();
  if (event.key === "End") slides.at(-1).scrollIntoView();
  if (event.key === "n") document.body.classList.toggle("with-notes");
});
const fit = () => {
  for (const slide of slides) {
    const body = slide.querySelector(".body");
    body.style.fontSize = "";
    for (let size = 95; body.scrollHeight > body.clientHeight + 1 && size >= 50; size -= 5) body.style.fontSize = `${size}%`;
  }
};
addEventListener("load", fit);
addEventListener("toggle", fit, true); // an answer that opens
addEventListener("resize", fit);
