// Keys of the whole page; those of the stage are in stage.js.

const ACTIONS = {
  o: "add",
  u: "undo",
  r: "redo",
  s: "save-work",
  m: "save-masks",
  g: "save-guidance",
  l: "load-guidance",
  "+": "zoom-in",
  "=": "zoom-in",
  "-": "zoom-out",
  "0": "zoom-fit",
  "?": "help",
};
const TOOLS = { c: "click", b: "box", p: "brush" };

// press(id) presses a button unless it is disabled; does has the rest by name.
export function listen(find, press, does) {
  const rest = {
    j: () => does.step(1),
    k: () => does.step(-1),
    h: () => does.toggle("masks"),
    v: () => does.toggle("outline"),
    x: does.flipSign,
    a: does.flipPieces,
    n: () => find("class-name").focus(),
    ",": () => does.nextMark(-1),
    ".": () => does.nextMark(1),
    "[": () => does.resize(-1),
    "]": () => does.resize(1),
    f: does.flipMark,
    delete: does.deleteMark,
    backspace: does.deleteMark,
    escape: does.escape,
  };

  function handle(event) {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") press(event.shiftKey ? "redo" : "undo");
      else if (key === "y") press("redo");
      else return false;
    } else if (/^[1-9]$/.test(key)) does.chooseClass(Number(key) - 1);
    else if (ACTIONS[key]) press(ACTIONS[key]);
    else if (TOOLS[key]) does.chooseTool(TOOLS[key]);
    else if (rest[key]) return rest[key]() !== false;
    else return false;
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("#class-name") || find("shortcuts").open;
    if (event.key === "Escape" && event.target === find("class-name")) event.target.blur();
    if (typing || event.altKey || event.defaultPrevented) return;
    if (handle(event)) event.preventDefault();
  });
}
