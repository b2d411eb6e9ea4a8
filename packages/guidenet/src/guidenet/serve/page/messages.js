// What the page says beside the picture: notes that go away, errors that stay until they are dismissed.

const SECONDS = 6;

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

export class Messages {
  constructor(element) {
    this.element = element;
    this.all = make("button", { className: "dismiss", textContent: "Dismiss all", hidden: true });
    this.all.onclick = () => {
      for (const message of element.querySelectorAll(".message.bad")) message.remove();
      this.count();
    };
    element.append(this.all);
  }

  // Says something once: an equal message is not repeated. `details` are lines that can be unfolded; what is
  // lasting stays until it is closed.
  say(text, bad = false, details = [], lasting = bad) {
    for (const other of this.element.querySelectorAll(".message")) if (other.dataset.text === text) other.remove();
    const close = make("button", { textContent: "×", ariaLabel: "Close this message" });
    const body = make("div", { className: "text" }, make("span", { textContent: text }));
    const message = make("div", { className: bad ? "message bad" : "message" }, body, close);
    message.dataset.text = text;
    if (details.length) {
      const lines = details.map((line) => make("li", { textContent: line }));
      body.append(make("details", {}, make("summary", { textContent: "Which ones" }), make("ul", {}, ...lines)));
    }
    close.onclick = () => this.close(message);
    if (!lasting) setTimeout(() => this.close(message), 1000 * SECONDS);
    this.element.append(message);
    this.count();
    return { change: (words) => (body.firstChild.textContent = words), close: () => this.close(message) };
  }

  close(message) {
    message.remove();
    this.count();
  }

  count() {
    this.all.hidden = this.element.querySelectorAll(".message.bad").length < 2;
  }
}
