// The page: what is chosen here becomes a question to the model, and its answer is shown. `florence` in the console does the same.
import { CHALLENGES } from "./challenges.js";
import { regionsOf } from "./drawing.js";
import { Model } from "./model.js";
import { WORLD, World, hasWords, nameOf, newThing, sceneNamed, surprise } from "./scene.js";
import { signWords } from "./signs.js";
import { LIMITS, Stage, limited, tiltOf } from "./stage.js";
import { TABLES } from "./tables.js";
import { judge, truthOf } from "./truth.js";

const { TASKS } = TABLES;
const MOST_THINGS = 9, LARGEST_PHOTO = 12e6; // pixels
const GROUPS = { caption: "Describe", detection: "Find things", grounding: "Find what you name", segmentation: "Cut out", ocr: "Read", region: "Point and ask" };
const $ = (id) => document.getElementById(id);
const percent = (share) => (share > 0.995 ? "100 %" : share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`);

const state = { task: "<OD>", scene: null, photo: null, picture: null, drawn: null, looked: null, region: null, phrases: {}, last: null, challenge: null };
let model, world, stage;

function make(tag, properties = {}, ...children) {
  const { data, style, ...plain } = properties, element = Object.assign(document.createElement(tag), plain);
  for (const [name, value] of Object.entries(style ?? {})) element.style.setProperty(name, value);
  for (const [name, value] of Object.entries(data ?? {})) if (value !== undefined) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// ---- the picture ----

function setScene(scene, { quietly = false } = {}) {
  Object.assign(state, { scene, photo: null, region: null });
  stage.selected = null;
  sceneChanged();
  if (!quietly) markScene(scene.place);
}

// Draws the scene; `dropped` is false while a thing is being dragged.
function sceneChanged(dropped = true) {
  state.drawn = world.draw(state.scene);
  state.picture = state.drawn.canvas;
  Object.assign(stage, { things: state.scene.things, regions: dropped ? [] : stage.regions, truth: dropped ? [] : stage.truth, mark: null });
  stage.show(state.picture, state.drawn);
  if (!dropped) return;
  showThings();
  showEditor();
  ask();
}

async function setPhoto(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }), { width, height } = bitmap;
    const scale = Math.min(1, Math.sqrt(LARGEST_PHOTO / (width * height)));
    const canvas = make("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) }), ctx = canvas.getContext("2d", { willReadFrequently: true });
    ctx.fillStyle = "#fff"; ctx.fillRect(0, 0, canvas.width, canvas.height); // behind what is transparent
    ctx.imageSmoothingQuality = "high"; ctx.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    Object.assign(state, { photo: file.name || "photo", picture: canvas, drawn: null, region: null, challenge: null });
    Object.assign(stage, { things: null, selected: null, regions: [], truth: [], mark: null });
    stage.show(canvas, null);
    markScene("photo"); showThings(); showEditor(); showMode(); showChallenges();
    ask();
  } catch {
    failed(new Error(`Your browser cannot open ${file.name}: choose a JPEG or PNG.`));
  }
}

function changeThing(thing, dropped = true) {
  state.scene.things[stage.selected] = thing;
  sceneChanged(dropped);
}

function select(index) {
  stage.selected = index;
  stage.paint(); showThings(); showEditor();
}

const regionMode = () => TASKS[state.task].takes === "region";

function setRegion(box) {
  state.region = stage.region = box;
  stage.paint();
  ask();
}

// ---- keys: for the picture and for the list of things ----

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const done = regionMode() ? regionKey(event) : thingKey(event);
  if (done) event.preventDefault();
}

function regionKey({ key, shiftKey }) {
  const way = ARROWS[key], { width, height } = state.picture, step = Math.round(Math.max(width, height) / 60);
  if (!way) return false;
  const [a, b, c, d] = state.region ?? [0.3 * width, 0.3 * height, 0.7 * width, 0.7 * height], [x, y] = way.map((v) => v * step);
  const moved = shiftKey ? [a, b, c + x, d + y] : [a + x, b + y, c + x, d + y];
  if (moved[0] >= 0 && moved[1] >= 0 && moved[2] <= width && moved[3] <= height && moved[2] - moved[0] > step && moved[3] - moved[1] > step) setRegion(moved.map(Math.round));
  return true;
}

const THING_KEYS = {
  "+": (thing) => ({ size: limited("size", thing.size * 1.08) }), "=": (thing) => THING_KEYS["+"](thing),
  "-": (thing) => ({ size: limited("size", thing.size / 1.08) }),
  "[": (thing) => ({ tilt: tiltOf(thing, thing.tilt + 5) }), "]": (thing) => ({ tilt: tiltOf(thing, thing.tilt - 5) }),
  f: (thing) => ({ mirrored: !thing.mirrored && !hasWords(thing) }),
  c: (thing) => { const all = Object.keys(WORLD.COLOURS); return { colour: all[(all.indexOf(thing.colour) + 1) % all.length] }; },
};

function thingKey({ key, shiftKey }) {
  const thing = stage.thing();
  if (!thing) return false;
  if (key === "Delete" || key === "Backspace") { removeThing(); return true; }
  if (ARROWS[key]) {
    const step = shiftKey ? 0.005 : 0.02, [x, y] = ARROWS[key];
    changeThing({ ...thing, at: [limited("at", thing.at[0] + x * step), limited("at", thing.at[1] + y * step)] });
    return true;
  }
  if (!THING_KEYS[key]) return false;
  changeThing({ ...thing, ...THING_KEYS[key](thing) });
  return true;
}

function removeThing() {
  state.scene.things.splice(stage.selected, 1);
  stage.selected = null;
  sceneChanged();
  $("picture").focus({ preventScroll: true });
}

// ---- asking: one question at a time, and of those that wait only the last ----

let busy = false, wanted = false;

async function ask() {
  wanted = true;
  if (busy || !model) return;
  busy = true;
  while (wanted) {
    wanted = false;
    try { await answerOnce(); } catch (error) { failed(error); }
  }
  busy = false;
}

function question() {
  const { takes } = TASKS[state.task];
  if (takes === "nothing") return { task: state.task };
  const input = takes === "phrase" ? $("phrase").value.trim() : state.region;
  return input ? { task: state.task, input } : null;
}

async function answerOnce() {
  const asked = question(), { picture, drawn } = state;
  showPrompt(asked);
  if (!asked) { waiting(); return; }
  $("answer").setAttribute("aria-busy", "true");
  if (state.looked !== picture) {
    const { milliseconds } = await model.look(picture.getContext("2d").getImageData(0, 0, picture.width, picture.height));
    Object.assign(state, { looked: picture, lookedFor: milliseconds });
    if (wanted) return;
  }
  const tokens = [];
  const answer = await model.ask(asked.task, asked.input, (token) => { tokens.push(token); if (!wanted) showToken(tokens); });
  if (wanted) return;
  const truth = drawn && truthOf(drawn, asked.task, asked.input), judged = drawn && judge(drawn, answer, truth);
  state.last = { answer, truth, judged, drawn, tokens, asked };
  showAnswer(state.last);
  judgeChallenge(state.last);
}

// ---- showing an answer ----

function waiting() {
  const box = regionMode();
  Object.assign(stage, { regions: [], truth: [] });
  stage.paint();
  $("answer").setAttribute("aria-busy", "false");
  $("said").classList.remove("failed");
  $("said").textContent = box ? "Draw a box in the picture, or choose a thing below it." : "What shall it look for? Write it, or choose an idea.";
  for (const id of ["score", "regions", "tokens", "token", "timing"]) $(id).replaceChildren();
}

function failed(error) {
  $("answer").setAttribute("aria-busy", "false");
  $("said").classList.add("failed");
  $("said").textContent = error.message;
}

function showAnswer({ answer, truth, judged, tokens }) {
  const gives = TASKS[answer.task].gives, regions = regionsOf(answer);
  $("answer").setAttribute("aria-busy", "false");
  $("said").classList.remove("failed");
  $("said").textContent = answer.text || (regions.length ? `${regions.length} of no name` : gives === "text" || gives === "quads" ? "No words." : "Nothing found.");
  $("score").replaceChildren(...scoreOf(judged, answer));
  $("regions").replaceChildren(...(judged?.matches ?? regions.map(({ label }, region) => ({ name: label, region }))).map((match) => regionRow(match, regions)));
  $("truth-row").hidden = !truth?.regions;
  stage.regions = regions;
  showTruth();
  $("timing").textContent = `${tokens.length} tokens in ${Math.round(answer.milliseconds)} ms; looking at the picture took ${Math.round(state.lookedFor)} ms, once.`;
  document.body.dataset.answered = Number(document.body.dataset.answered ?? 0) + 1;
}

function scoreOf(judged, { task }) {
  if (state.photo) return ["mini has only ever seen drawn scenes: some thirty kinds of things in nine colours. Of a photograph it talks nonsense, often without doubt. A full Florence-2 knows photographs."];
  if (!judged) return TASKS[task].group === "caption" ? ["Many captions would be right: judge this one yourself."] : [];
  if (judged.right !== undefined) return [make("b", { textContent: judged.right ? "Right." : "Wrong: " }), judged.right ? "" : judged.truth ? ` “${judged.truth}” is true.` : " there is nothing to read."];
  const { found, of, meanIou } = judged, made = judged.matches.filter(({ verdict }) => verdict === "not there").length;
  const parts = [make("b", { textContent: of ? `${found} of ${of} found` : "There is nothing to find" })];
  if (meanIou !== null) parts.push(`, mean IoU ${meanIou.toFixed(2)}`);
  if (made) parts.push(`, ${made} not there`);
  return parts;
}

const VERDICTS = { found: "good", misplaced: "bad", missed: "bad", "not there": "bad" };

function regionRow({ name, iou, verdict, region }, regions) {
  const colour = region == null ? undefined : regions[region].colour, share = iou == null ? "" : `IoU ${iou.toFixed(2)}`;
  return make("li", { className: VERDICTS[verdict] ?? "" },
    make("i", { style: colour ? { "--colour": colour } : {} }), make("span", { textContent: name || "a region" }),
    make("span", { className: iou == null ? "bar none" : "bar", style: { "--share": `${100 * (iou ?? 0)}%` } }),
    make("small", { textContent: verdict === "found" ? share : [verdict, share].filter(Boolean).join(", ") }));
}

function showTruth() {
  const regions = $("truth").checked ? (state.last?.truth?.regions ?? []) : [];
  stage.truth = regions.flatMap(({ box, quad, things }) => things ? outlinesOf(state.last.drawn, things) : [[quad ?? boxCorners(box)]]);
  stage.paint();
}

const boxCorners = ([a, b, c, d]) => [a, b, c, b, c, d, a, d];

// The edge of things in the map, as one short stroke for each pixel on it.
function outlinesOf({ map, size: [width] }, things) {
  const is = (at) => things.includes(map[at] - 1), strokes = [];
  map.forEach((number, at) => {
    if (!is(at)) return;
    const [x, y] = [at % width, Math.floor(at / width)];
    if (!is(at - 1)) strokes.push([x, y, x, y + 1]);
    if (!is(at + 1)) strokes.push([x + 1, y, x + 1, y + 1]);
    if (!is(at - width)) strokes.push([x, y, x + 1, y]);
    if (!is(at + width)) strokes.push([x, y + 1, x + 1, y + 1]);
  });
  return [strokes];
}

function showPrompt(asked) {
  const { sentence } = TASKS[state.task];
  $("prompt").replaceChildren("The task ", make("code", { textContent: state.task }), " becomes: ", make("code", { textContent: asked?.input && typeof asked.input === "string" ? sentence.replace("{input}", () => asked.input) : sentence.replace("{input}", regionMode() ? "<loc_…>" : "…") }));
}

// ---- tokens ----

function showToken(tokens) {
  if (tokens.length === 1) { $("tokens").replaceChildren(); $("token").replaceChildren(); }
  const { piece, share } = tokens.at(-1), kind = /^<loc_/.test(piece) ? "place" : /^<.*>$/.test(piece) ? "special" : "word", at = tokens.length - 1;
  const button = make("button", { type: "button", className: kind, textContent: piece.replace(/\n/g, "⏎"), tabIndex: at ? -1 : 0, style: { "--share": `${100 * share}%` },
    data: { "aria-label": `${piece.trim() || piece}, ${percent(share)}`, "aria-pressed": "false" }, onclick: () => explain(tokens, at) });
  $("tokens").append(button);
}

function explain(tokens, at) {
  const { piece, share, others } = tokens[at];
  [...$("tokens").children].forEach((chip, i) => chip.setAttribute("aria-pressed", i === at));
  const rows = others.map(([other, itsShare]) => make("tr", {}, make("td", { textContent: other.replace(/\n/g, "⏎") }), make("td", { textContent: percent(itsShare) })));
  $("token").replaceChildren(make("p", { className: "quiet", textContent: `“${piece.trim() || piece}” had ${percent(share)}. ${rows.length > 1 ? "What else it thought of:" : "It thought of nothing else."}` }), make("table", {}, ...rows));
  stage.mark = markOf(tokens, at);
  stage.paint();
}

// A location token is a place across or down; they take turns.
function markOf(tokens, at) {
  const bin = /^<loc_(\d+)>$/.exec(tokens[at].piece)?.[1];
  if (bin === undefined) return null;
  let first = at;
  while (first > 0 && /^<loc_/.test(tokens[first - 1].piece)) first--;
  const axis = (at - first) % 2 ? "y" : "x";
  return { axis, value: ((Number(bin) + 0.5) / TABLES.BINS) * (axis === "x" ? state.picture.width : state.picture.height) };
}

// ---- controls ----

function showTasks() {
  const rows = Object.entries(GROUPS).map(([group, title]) => {
    const chips = Object.values(TASKS).filter((task) => task.group === group).map(({ prompt, title: name }) => make("label", {},
      make("input", { type: "radio", name: "task", value: prompt, checked: prompt === state.task, onchange: () => setTask(prompt) }), make("span", { textContent: name, title: prompt })));
    return make("div", { data: { role: "group", "aria-label": title } }, ...chips);
  });
  $("tasks").append(...rows);
}

function chooseTask(task) {
  if (TASKS[state.task].takes === "phrase") state.phrases[state.task] = $("phrase").value;
  state.task = task;
  $("tasks").querySelector(`[value="${task}"]`).checked = true;
}

function setTask(task) {
  chooseTask(task);
  showMode();
  ask();
}

function showMode() {
  const { takes } = TASKS[state.task], region = takes === "region", touch = matchMedia("(pointer: coarse)").matches;
  stage.mode = region ? "region" : "move";
  stage.region = state.region;
  $("picture").className = region ? "region" : state.photo ? "still" : "";
  $("phrase-row").hidden = takes !== "phrase";
  if (takes === "phrase") { $("phrase").value = state.phrases[state.task] ?? ideas()[0] ?? ""; showIdeas(); }
  const keys = touch ? "" : region ? " Arrow keys move the box, with Shift they resize it." : " Arrow keys move it, + and − resize, [ and ] turn, C recolours, Delete removes.";
  $("hint").textContent = region ? `Draw a box around something.${keys}` : state.photo ? "Your photograph stays on this device." : `Drag things, or choose one.${keys}`;
  stage.paint(); showEditor();
}

function ideas() {
  if (!state.drawn) return ["red car", "dog", "house"];
  const names = state.drawn.seen.map(({ thing }) => (state.task === "<OPEN_VOCABULARY_DETECTION>" ? thing.kind : `the ${nameOf(thing)}`));
  return [...new Set([...names, "teapot"])];
}

function showIdeas() {
  $("ideas").replaceChildren(...ideas().map((idea) => make("button", { type: "button", textContent: idea, onclick: () => { $("phrase").value = idea; ask(); } })));
}

function showThings() {
  $("compose").hidden = !state.drawn;
  if (!state.drawn) { $("picture").setAttribute("aria-label", `Your picture ${state.photo}`); return; }
  const { things } = state.scene, focused = [...$("things").children].indexOf(document.activeElement);
  $("things").replaceChildren(...things.map((thing, i) => make("button", { type: "button", tabIndex: i === Math.max(0, focused) ? 0 : -1, data: { "aria-pressed": String(stage.selected === i) }, onclick: () => choose(i) },
    make("i", { style: { "--colour": `rgb(${WORLD.COLOURS[thing.colour].base.join(" ")})` } }), hasWords(thing) ? `${nameOf(thing)} “${thing.text.replace("\n", " / ")}”` : nameOf(thing))));
  if (focused >= 0) $("things").children[Math.min(focused, things.length - 1)]?.focus({ preventScroll: true });
  $("picture").setAttribute("aria-label", things.length ? `A picture with ${things.map(nameOf).join(", ")}` : "An empty place");
  $("add").hidden = things.length >= MOST_THINGS;
  if (TASKS[state.task].takes === "phrase") showIdeas();
}

function choose(index) {
  const seen = state.drawn.seen.find((one) => one.index === index);
  if (regionMode()) { if (seen) setRegion(seen.box); return; }
  select(stage.selected === index ? null : index);
}

function showEditor() {
  const thing = regionMode() || !state.drawn ? null : stage.thing(), words = Boolean(thing && hasWords(thing));
  $("editor").hidden = !thing;
  if (!thing) return;
  for (const dot of $("colours").children) { const on = dot.title === thing.colour; dot.setAttribute("aria-checked", on); dot.tabIndex = on ? 0 : -1; }
  $("words-row").hidden = !words; $("flip").hidden = words;
  if (document.activeElement !== $("words")) { $("words").value = thing.text.replace("\n", " / "); $("words-note").textContent = ""; }
  Object.assign($("turn"), words ? { min: -15, max: 15 } : { min: -180, max: 180 });
  $("size").value = Math.round(100 * thing.size); $("turn").value = -thing.tilt;
}

function wireEditor() {
  const edit = (change, dropped = true) => stage.thing() && changeThing({ ...stage.thing(), ...change(stage.thing()) }, dropped);
  $("colours").append(...Object.entries(WORLD.COLOURS).map(([colour, { base }]) => make("button", { type: "button", title: colour, style: { "--colour": `rgb(${base.join(" ")})` },
    data: { role: "radio", "aria-label": colour }, onclick: () => edit(() => ({ colour })) })));
  for (const [id, change] of [["size", () => ({ size: limited("size", $("size").value / 100) })], ["turn", (thing) => ({ tilt: tiltOf(thing, -$("turn").value) })]]) {
    $(id).oninput = () => edit(change, false);
    $(id).onchange = () => edit(change);
  }
  Object.assign($("size"), { min: 100 * LIMITS.size[0], max: 100 * LIMITS.size[1] });
  $("words").oninput = () => {
    try { const text = signWords($("words").value); $("words-note").textContent = ""; edit(() => ({ text })); } catch (error) { $("words-note").textContent = error.message; }
  };
  $("flip").onclick = () => edit(({ mirrored }) => ({ mirrored: !mirrored }));
  $("remove").onclick = removeThing;
  $("front").onclick = () => {
    const { things } = state.scene;
    things.push(...things.splice(stage.selected, 1));
    stage.selected = things.length - 1;
    sceneChanged();
  };
}

function showKinds() {
  if ($("kinds").childElementCount) return;
  $("kinds").append(...Object.keys(WORLD.KINDS).map((kind, i) => {
    const shown = world.stamp({ ...newThing(kind, [0.5, 0.5], 0.3, Object.keys(WORLD.COLOURS)[i % 8]), text: hasWords({ kind }) ? "AB" : "" }).canvas;
    const copy = make("canvas", { width: shown.width, height: shown.height });
    copy.getContext("2d").drawImage(shown, 0, 0);
    return make("button", { type: "button", tabIndex: i ? -1 : 0, title: WORLD.HELD_OUT.includes(kind) ? "mini has never seen one" : kind, onclick: () => addThing(kind) }, copy, kind);
  }));
}

function addThing(kind) {
  const { zones } = WORLD.SCENES[state.scene.place], [low, high] = zones[WORLD.KINDS[kind]] ?? zones.ground, size = 0.34;
  state.scene.things.push(newThing(kind, [0.2 + 0.6 * Math.random(), Math.max(size / 2, (low + high) / 2 - size / 2)], size));
  stage.selected = state.scene.things.length - 1;
  sceneChanged();
}

function showScenes() {
  const thumbs = Object.keys(WORLD.SCENES).map((name) => {
    const small = make("canvas", { width: 192, height: 144 });
    small.getContext("2d").drawImage(world.draw(sceneNamed(name)).canvas, 0, 0, 192, 144);
    return make("button", { type: "button", tabIndex: -1, data: { "data-scene": name, "aria-pressed": "false" }, onclick: () => leaveChallenge(() => setScene(sceneNamed(name))) }, small, name);
  });
  const own = make("button", { type: "button", tabIndex: -1, data: { "data-scene": "photo", "aria-pressed": "false" }, onclick: () => $("photo").click() }, make("b", { textContent: "◉" }), "your photo");
  const chance = make("button", { type: "button", tabIndex: 0, data: { "data-scene": "surprise" }, onclick: () => leaveChallenge(() => { setScene(surprise(), { quietly: true }); markScene("surprise"); }) }, make("b", { textContent: "↻" }), "surprise me");
  $("scenes").append(chance, ...thumbs, own);
  $("photo").onchange = () => { const [file] = $("photo").files; if (file) setPhoto(file); $("photo").value = ""; };
}

function markScene(name) {
  for (const button of $("scenes").children) if (button.dataset.scene !== "surprise") button.setAttribute("aria-pressed", button.dataset.scene === name);
  showMode();
}

// In a row of buttons one is reached with Tab, and the others from it with the arrow keys.
function roving(row) {
  row.addEventListener("keydown", (event) => {
    const all = [...row.querySelectorAll("button")], at = all.indexOf(document.activeElement), step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || at < 0 || event.defaultPrevented) return;
    event.preventDefault();
    const next = all[(at + step + all.length) % all.length];
    all.forEach((button) => { button.tabIndex = button === next ? 0 : -1; });
    next.focus();
    if (next.getAttribute("role") === "radio") next.click();
  });
}

// ---- the challenge of the minute ----

function showChallenges() {
  $("challenges").replaceChildren(...CHALLENGES.map((challenge) => {
    const running = state.challenge?.challenge === challenge, done = running && state.challenge.done;
    return make("li", { className: done ? "done" : running ? "on" : "" }, make("strong", { textContent: challenge.title }), make("p", { className: "quiet", textContent: challenge.say }),
      make("button", { type: "button", textContent: running ? "Again" : "Start", onclick: () => startChallenge(challenge) }));
  }));
  showQuest();
}

// What is asked for, right below the picture: there a hand that drags sees it.
function showQuest() {
  const { challenge, done } = state.challenge ?? {};
  $("quest").hidden = !challenge;
  $("quest").className = done ? "done" : "";
  $("quest-title").textContent = challenge?.title ?? "";
  $("quest-say").textContent = challenge && !done ? challenge.say : "";
  $("leave").textContent = !done ? "Stop" : next(challenge) ? "Next" : "Close";
  if (!challenge) $("judged").textContent = "";
  showClock();
}

const next = (challenge) => CHALLENGES[CHALLENGES.indexOf(challenge) + 1];

function showClock() {
  if (!state.challenge) return;
  const seconds = state.challenge.took ?? Math.floor((performance.now() - state.challenge.since) / 1000);
  $("clock").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function startChallenge(challenge) {
  state.challenge = { challenge, since: performance.now(), done: false };
  $("judged").textContent = "";
  showChallenges();
  chooseTask(challenge.task);
  setScene(challenge.scene());
  $("frame").scrollIntoView({ block: "start", behavior: "smooth" });
}

function leaveChallenge(then) { state.challenge = null; showChallenges(); then(); }

function judgeChallenge(last) {
  const running = state.challenge;
  if (!running || running.done || !last.drawn) return;
  if (last.asked.task !== running.challenge.task) { $("judged").textContent = `What counts is “${TASKS[running.challenge.task].title}”: ask that again.`; return; }
  const reason = running.challenge.judge(last), seconds = Math.round((performance.now() - running.since) / 1000);
  if (!reason) Object.assign(running, { done: true, took: seconds });
  $("judged").textContent = reason || `Done in ${seconds} s${seconds <= 60 ? ", within the minute!" : ". Can you do it within a minute?"}`;
  showChallenges();
}

// ---- start ----

function wire() {
  const picture = $("picture");
  stage = new Stage(picture, { select, change: (thing) => changeThing(thing, false), drop: () => sceneChanged(), region: setRegion }, (thing) => world.stamp(thing));
  picture.addEventListener("keydown", onKey);
  $("things").addEventListener("keydown", (event) => { if (!regionMode() && stage.selected !== null && document.activeElement.getAttribute("aria-pressed") === "true") onKey(event); });
  for (const id of ["things", "kinds", "scenes", "tokens", "colours"]) roving($(id));
  $("phrase-row").onsubmit = (event) => { event.preventDefault(); ask(); };
  $("truth").onchange = showTruth;
  $("add").ontoggle = showKinds;
  $("leave").onclick = () => {
    const { challenge, done } = state.challenge, then = done && next(challenge);
    if (then) startChallenge(then); else leaveChallenge(() => $("picture").focus({ preventScroll: true }));
  };
  setInterval(showClock, 500);
  wireEditor(); showTasks(); showScenes(); showChallenges();
  document.ondragover = (event) => event.preventDefault();
  document.ondrop = (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) setPhoto(event.dataTransfer.files[0]); };
}

async function start() {
  try {
    const [loaded, ready] = await Promise.all([World.load(), Model.load((share) => { $("progress").value = share; })]);
    [world, model] = [loaded, ready];
    $("loading").hidden = true; $("main").hidden = false;
    $("foot").textContent = `Weights of ${(TABLES.CHECKPOINT.bytes / 1e6).toFixed(1)} MB, read once. The model, its tokenizer and its parser are JavaScript that you can read beside this page.`;
    wire();
    setScene(sceneNamed("street"));
    if (location.hash === "#challenge") $("challenge").scrollIntoView(); // it was hidden when the browser looked for it
    globalThis.florence = { model, world, state, stage, setScene, setTask, setPhoto, ask, truthOf, judge, sceneNamed, CHALLENGES };
    document.body.dataset.ready = "yes";
  } catch (error) {
    $("loading").className = "failed"; $("progress").hidden = true;
    $("loading-words").textContent = `The page cannot start: ${error.message}`;
    document.body.dataset.failed = error.message;
  }
}

start();
