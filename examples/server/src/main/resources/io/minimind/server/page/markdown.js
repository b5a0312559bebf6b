/**
 * Markdown as elements. What a model writes is text and never HTML: only these functions make
 * elements, of a fixed set, and all text goes in as text nodes. Links lead to http and https alone.
 */

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

const BLOCKS = {
  fence: /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)/,
  heading: /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/,
  rule: /^ {0,3}([-*_])(\s*\1){2,}\s*$/,
  quote: /^ {0,3}>\s?/,
  item: /^( {0,8})([-*+]|\d{1,9}[.)])\s+/,
  row: /^\s*\|.*\|\s*$/,
  divider: /^\s*\|(\s*:?-+:?\s*\|)+\s*$/,
};

/** The elements of a text. */
export function markdown(text) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(text.split('\n'), 0));
  return fragment;
}

function blocks(lines, depth) {
  const made = [];
  let paragraph = [];
  const close = () => {
    if (paragraph.length) {
      made.push(element('p', ...inline(paragraph.join('\n'))));
      paragraph = [];
    }
  };
  for (let i = 0; i < lines.length; ) {
    const line = lines[i];
    const fence = BLOCKS.fence.exec(line);
    const heading = BLOCKS.heading.exec(line);
    if (fence) {
      close();
      const code = [];
      for (i++; i < lines.length && !lines[i].trim().startsWith(fence[1]); i++) {
        code.push(lines[i]);
      }
      i++;
      made.push(codeBlock(code.join('\n'), fence[2]));
    } else if (heading) {
      close();
      // The page has headings of its own above these.
      made.push(element('h' + Math.min(6, heading[1].length + 2), ...inline(heading[2])));
      i++;
    } else if (BLOCKS.rule.test(line)) {
      close();
      made.push(element('hr'));
      i++;
    } else if (depth < 8 && BLOCKS.quote.test(line)) {
      close();
      const inner = [];
      for (; i < lines.length && BLOCKS.quote.test(lines[i]); i++) {
        inner.push(lines[i].replace(BLOCKS.quote, ''));
      }
      made.push(element('blockquote', ...blocks(inner, depth + 1)));
    } else if (depth < 8 && BLOCKS.item.test(line)) {
      close();
      i = list(lines, i, depth, made);
    } else if (BLOCKS.row.test(line) && BLOCKS.divider.test(lines[i + 1] ?? '')) {
      close();
      i = table(lines, i, made);
    } else {
      if (line.trim()) {
        paragraph.push(line);
      } else {
        close();
      }
      i++;
    }
  }
  close();
  return made;
}

function codeBlock(text, name) {
  const code = element('code', text);
  const block = element('pre', code);
  block.tabIndex = 0;
  if (name) {
    block.dataset.name = name;
  }
  return block;
}

function list(lines, from, depth, made) {
  const first = BLOCKS.item.exec(lines[from]);
  const ordered = /\d/.test(first[2]);
  const whole = element(ordered ? 'ol' : 'ul');
  if (ordered) {
    whole.start = Number.parseInt(first[2], 10);
  }
  let i = from;
  while (i < lines.length) {
    const item = BLOCKS.item.exec(lines[i]);
    if (!item || item[1].length > first[1].length + 1 || /\d/.test(item[2]) !== ordered) {
      break;
    }
    const inner = [lines[i].slice(item[0].length)];
    for (i++; i < lines.length; i++) {
      const next = BLOCKS.item.exec(lines[i]);
      const indented = /^(\s{2,}|\t)/.test(lines[i]);
      if (next ? next[1].length <= first[1].length + 1 : !indented && lines[i].trim()) {
        break;
      }
      inner.push(lines[i].replace(/^(\t| {1,4})/, ''));
    }
    const parts = blocks(inner, depth + 1);
    const tight = parts.length && parts[0].localName === 'p' && !inner.some(line => !line.trim());
    whole.append(element('li', ...(tight ? [...parts[0].childNodes, ...parts.slice(1)] : parts)));
  }
  made.push(whole);
  return i;
}

function cells(line) {
  return line.trim().slice(1, -1).split(/(?<!\\)\|/).map(cell => cell.trim().replace(/\\\|/g, '|'));
}

function table(lines, from, made) {
  const head = element('tr', ...cells(lines[from]).map(cell => element('th', ...inline(cell))));
  const body = element('tbody');
  let i = from + 2;
  for (; i < lines.length && BLOCKS.row.test(lines[i]); i++) {
    body.append(element('tr', ...cells(lines[i]).map(cell => element('td', ...inline(cell)))));
  }
  const whole = element('div', element('table', element('thead', head), body));
  whole.className = 'table';
  made.push(whole);
  return i;
}

const SPANS = [
  [/^(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/, match => element('code', match[2].trim() || match[2])],
  [/^\*\*(?=\S)([\s\S]*?\S)\*\*/, match => element('strong', ...inline(match[1]))],
  [/^__(?=\S)([\s\S]*?\S)__(?!\w)/, match => element('strong', ...inline(match[1]))],
  [/^\*(?=\S)([^*]*?[^*\s])\*(?!\*)/, match => element('em', ...inline(match[1]))],
  [/^_(?=\S)([^_]*?[^_\s])_(?!\w)/, match => element('em', ...inline(match[1]))],
  [/^~~(?=\S)([\s\S]*?\S)~~/, match => element('del', ...inline(match[1]))],
  [/^\[([^\[\]]*)\]\((https?:\/\/[^\s()]+)\)/, match => link(match[2], ...inline(match[1]))],
  [/^https?:\/\/[^\s<>()"'，。；）]+/, match => link(match[0], match[0])],
  [/^\\([!-/:-@[-`{-~])/, match => match[1]],
  [/^( {2,}|\\)\n/, () => element('br')],
  [/^\n/, () => element('br')],
];

function link(target, ...children) {
  const made = element('a', ...children);
  made.href = target;
  made.rel = 'noopener noreferrer nofollow';
  made.target = '_blank';
  return made;
}

function inline(text) {
  const made = [];
  let plain = '';
  for (let i = 0; i < text.length; ) {
    let found = null;
    // An underscore within a word begins nothing.
    if (/[`*_~\[h\\ \n]/.test(text[i]) && !(text[i] === '_' && /\w/.test(text[i - 1] ?? ''))) {
      // Markers reach no further than this, which bounds the work.
      const rest = text.slice(i, i + 4000);
      for (const [pattern, make] of SPANS) {
        const match = pattern.exec(rest);
        if (match) {
          found = [match[0].length, make(match)];
          break;
        }
      }
    }
    if (found) {
      made.push(plain, found[1]);
      plain = '';
      i += found[0];
    } else {
      plain += text[i++];
    }
  }
  return [...made, plain].filter(part => part !== '');
}
