// One picture from the webcam. A browser gives it only to pages it trusts: https, or this very computer.
function render({ model, el }) {
  const add = (tag, more) => el.appendChild(Object.assign(document.createElement(tag), more));
  let stream = null;
  const video = add("video", { muted: true, playsInline: true, hidden: true, ariaLabel: "What the webcam sees" });
  const start = add("button", { type: "button", className: "jupyter-button", textContent: "Start the webcam" });
  const take = add("button", { type: "button", className: "jupyter-button mod-primary", textContent: "Take the picture", hidden: true });
  const said = add("div", { className: "said", role: "status" });
  el.classList.add("fnb-webcam");

  const show = (on) => { video.hidden = take.hidden = !on; start.hidden = on; };
  const stop = () => { stream?.getTracks().forEach((track) => track.stop()); stream = null; show(false); };
  start.onclick = async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
      if (!el.isConnected) return stop();
      video.srcObject = stream;
      await video.play();
      said.textContent = "";
      show(true);
    } catch (error) {
      stop();
      said.textContent = { NotAllowedError: "The browser was not allowed to use the webcam.", NotFoundError: "There is no webcam here." }[error.name] || `The webcam does not start: ${error.message}`;
    }
  };
  take.onclick = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob(async (blob) => {
      model.send({ name: "webcam.jpg", size: blob.size, at: 0 }, undefined, [await blob.arrayBuffer()]);
      stop();
    }, "image/jpeg", 0.92);
  };
  if (!navigator.mediaDevices?.getUserMedia) {
    start.disabled = true;
    said.textContent = "This browser gives no webcam to this page: choose a file instead.";
  }
  return stop;
}

export default { render };
