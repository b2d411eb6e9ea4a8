// The list of classes: which one is marked, in which colour it is shown; an unused one can be removed.

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

export class ClassList {
  // does: choose(i), paint(name, colour), remove(name).
  constructor(element, does) {
    Object.assign(this, { element, does, shown: "" });
  }

  // Shows classes with `name`, `colour`, `removable`; drawn anew only if something changed, as a colour may be open.
  show(classes, chosen) {
    const now = JSON.stringify(classes);
    if (now !== this.shown) {
      this.shown = now;
      const focused = document.activeElement?.closest("#classes") ? document.activeElement : null;
      const [kind, value] = [focused?.className, focused?.dataset.name];
      this.element.replaceChildren(...classes.map((cls, i) => this.row(cls, i)));
      if (focused) [...this.element.querySelectorAll("*")].find((e) => e.className === kind && e.dataset.name === value)?.focus();
    }
    for (const input of this.element.querySelectorAll(".pick")) input.checked = input.value === chosen;
  }

  row({ name, colour, removable }, i) {
    const input = make("input", { type: "radio", name: "cls", value: name, className: "pick" });
    input.onchange = () => this.does.choose(i);
    const swatch = make("input", { type: "color", value: colour, className: "swatch", title: `Colour of ${name}` });
    swatch.ariaLabel = swatch.title;
    swatch.onchange = () => this.does.paint(name, swatch.value);
    const label = make("label", { className: "choice" }, input, make("span", { className: "name", textContent: name, title: name }));
    if (i < 9) label.append(make("kbd", { textContent: i + 1, ariaHidden: "true" }));
    const row = make("div", { className: "class" }, swatch, label);
    if (removable) {
      const remove = make("button", { type: "button", textContent: "×", title: `Remove the class ${name}`, className: "remove" });
      remove.ariaLabel = remove.title;
      remove.onclick = () => this.does.remove(name);
      row.append(remove);
    }
    for (const part of [input, swatch]) part.dataset.name = name;
    return row;
  }
}
