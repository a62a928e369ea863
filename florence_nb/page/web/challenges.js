// The challenge of the minute: three ways to fool the model, judged by the truth of the scene. Each `judge` says whether it is done,
// and why not yet.
import { WORLD, sceneNamed } from "./scene.js";

const SEEN = 0.6; // of the thing that is to be missed
const WIDE = 24, SIGN_WIDE = 60; // pixels

export const CHALLENGES = [
  {
    name: "miss", title: "Make it miss the house", say: "Turn, shrink, cover or recolour it: the house must still be plain to see for you.", task: "<OD>",
    scene: () => sceneNamed("street"),
    judge({ drawn, judged }) {
      const houses = drawn.seen.filter(({ thing }) => thing.kind === "house");
      if (!houses.length) return "There must be a house in the picture.";
      if (houses.every(hidden)) return hidden(houses[0]);
      return judged.matches.some(({ name, verdict }) => name === "house" && verdict === "found") ? "It still finds the house." : "";
    },
  },
  {
    name: "invent", title: "Make it see what is not there", say: "It must name a kind of thing that is nowhere in your picture.", task: "<OD>",
    scene: () => sceneNamed("meadow"),
    judge({ drawn, answer }) {
      const invented = answer.labels.find((label) => label in WORLD.KINDS && !drawn.kinds.includes(label));
      return invented ? "" : "Everything that it named is there.";
    },
  },
  {
    name: "misread", title: "Make it misread a sign", say: `All letters must be in the picture and uncovered, and the sign at least ${SIGN_WIDE} pixels wide.`, task: "<OCR_WITH_REGION>",
    scene: () => sceneNamed("signs"),
    judge({ drawn, truth, judged }) {
      const signs = drawn.seen.filter(({ quads }) => quads.length);
      if (!signs.length) return "There must be a sign.";
      const wide = signs.filter(({ box }) => box[2] - box[0] >= SIGN_WIDE);
      if (!wide.length) return `A sign must be at least ${SIGN_WIDE} pixels wide.`;
      const fair = wide.filter((sign) => uncovered(drawn, sign));
      if (!fair.length) return "All letters of a sign must be in the picture and uncovered.";
      const unread = truth.regions.filter(({ name }, i) => judged.matches[i].verdict === "missed" && !judged.matches.some((one) => one.verdict === "not there" && one.name === name));
      return unread.some(({ quad }) => fair.some(({ quads }) => quads.includes(quad))) ? "" : "It read every sign.";
    },
  },
];

// Why a thing is not plain to see, or "".
function hidden({ share, box }) {
  if (share < SEEN) return `Only ${Math.round(100 * share)} % of the house can be seen; ${100 * SEEN} % must be.`;
  return Math.min(box[2] - box[0], box[3] - box[1]) < WIDE ? `The house must be at least ${WIDE} pixels wide and high.` : "";
}

// Is the whole place of its words in the picture, with nothing before it?
function uncovered({ map, size: [width, height] }, { index, quads }) {
  const at = ([a, b, c, d, e, f, g, h], u, v) => [(1 - v) * ((1 - u) * a + u * c) + v * ((1 - u) * g + u * e), (1 - v) * ((1 - u) * b + u * d) + v * ((1 - u) * h + u * f)];
  const shows = ([x, y]) => x >= 0 && y >= 0 && x < width && y < height && map[Math.floor(y) * width + Math.floor(x)] === index + 1;
  const steps = (count) => Array.from({ length: count }, (_, i) => (i + 0.5) / count);
  return quads.every((quad) => steps(32).every((u) => steps(8).every((v) => shows(at(quad, u, v)))));
}
