// Makes elements. Values are set as text, never as HTML: a tag may hold anything.

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// A sentence with its `code` as code.
export const prose = (text) => text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));

// Style that depends on a value goes through the object model, which a strict policy allows.
export function styled(element, name, value) {
  element.style.setProperty(name, value);
  return element;
}
