/** The page: what is shown, and what keys and buttons do. */
import {answer, models} from './client.js';
import {markdown} from './markdown.js';
import {chats, exported, newChat, removeChat, saveChats, saveSettings, settings} from './store.js';
import {setLanguage, word} from './words.js';

const byId = id => document.getElementById(id);
const log = byId('log');
const input = byId('input');
let chat = chats[0] ?? newChat();
let running = null; // the controller of the answer that is being written

// ---- showing

function button(name, action) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = word(name);
  made.addEventListener('click', action);
  return made;
}

function part(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

function showChats() {
  byId('chats').replaceChildren(...chats.map(one => {
    const open = button('untitled', () => choose(one));
    open.textContent = one.title || word('untitled');
    if (one === chat) {
      open.setAttribute('aria-current', 'true');
    }
    const remove = button('remove', () => {
      removeChat(one);
      choose(one === chat ? chats[0] ?? newChat() : chat);
    });
    remove.textContent = '✕';
    remove.className = 'icon';
    remove.title = word('remove');
    remove.setAttribute('aria-label', `${word('remove')}: ${one.title || word('untitled')}`);
    return part('li', '', open, remove);
  }));
}

function show() {
  showChats();
  log.replaceChildren(...chat.messages.map(view));
  if (!chat.messages.length) {
    log.append(part('p', 'empty', word('empty')));
  }
  askForResult();
  log.scrollTop = log.scrollHeight;
}

/** The element of a message. */
function view(message, index) {
  const who = {user: 'you', assistant: 'assistant', tool: 'tool'}[message.role] ?? 'tool';
  const body = part('div', 'body');
  fill(body, message);
  const actions = part('div', 'actions', button('copy', event => copy(event.target, message)));
  if (message.role === 'user') {
    actions.append(button('edit', () => edit(index)));
  } else if (message.role === 'assistant') {
    actions.append(button('regenerate', () => regenerate(index)));
  }
  const made = part('article', message.role, part('h2', 'who', word(who)), body, actions);
  made.tabIndex = -1;
  return made;
}

function fill(body, message) {
  const parts = [];
  if (message.reasoning_content) {
    const thought = part('details', 'thought', part('summary', '',
      word(message.content ? 'thought' : 'thinkingNow')), markdown(message.reasoning_content));
    thought.open = body.querySelector('details.thought')?.open ?? false;
    parts.push(thought);
  }
  if (message.content) {
    parts.push(message.role === 'assistant'
      ? markdown(message.content) : part('p', 'plain', message.content));
  }
  for (const call of message.tool_calls ?? []) {
    parts.push(part('div', 'call', part('strong', '', `${word('call')} ${call.function.name}`),
      part('pre', '', call.function.arguments)));
  }
  if (message.note) {
    parts.push(part('p', 'note', message.note));
  }
  body.replaceChildren(...parts);
}

function copy(from, message) {
  navigator.clipboard?.writeText(message.content ?? '').then(() => {
    from.textContent = word('copied');
    setTimeout(() => { from.textContent = word('copy'); }, 1500);
  });
}

// ---- asking

function choose(one) {
  stop();
  chat = one;
  closeSide();
  show();
  input.focus();
}

function send(text) {
  if (!text.trim() || running) {
    return;
  }
  chat.messages.push({role: 'user', content: text});
  chat.title ||= text.trim().slice(0, 60);
  respond();
}

function edit(index) {
  if (running) {
    return;
  }
  const article = log.children[index];
  const field = part('textarea', 'edit');
  field.value = chat.messages[index].content;
  field.setAttribute('aria-label', word('edit'));
  const save = () => {
    chat.messages.length = index;
    send(field.value);
    input.focus();
  };
  const form = part('div', 'editing', field, button('save', save), button('cancel', show));
  field.addEventListener('keydown', event => {
    if (isSending(event)) {
      event.preventDefault();
      save();
    } else if (event.key === 'Escape') {
      show();
      input.focus();
    }
  });
  article.querySelector('.body').replaceChildren(form);
  field.focus();
}

function regenerate(index) {
  if (!running) {
    chat.messages.length = index;
    respond();
  }
}

/** What a called tool gave back is typed in: the page runs no tools itself. */
function askForResult() {
  const open = openCalls();
  if (!open.length || running) {
    return;
  }
  const call = open[0];
  const field = part('textarea', 'edit');
  const label = part('label', '', `${word('result')} (${call.function.name})`, field);
  const give = button('giveBack', () => {
    chat.messages.push({role: 'tool', tool_call_id: call.id, name: call.function.name, content: field.value});
    if (openCalls().length) {
      show();
    } else {
      respond();
    }
  });
  log.append(part('div', 'editing', label, give));
}

function openCalls() {
  const answered = new Set();
  for (const message of chat.messages.slice().reverse()) {
    if (message.role === 'tool') {
      answered.add(message.tool_call_id);
    } else {
      return (message.tool_calls ?? []).filter(call => !answered.has(call.id));
    }
  }
  return [];
}

async function respond() {
  const asked = chat;
  const sent = chat.messages.map(({note, ...message}) => message);
  const message = {role: 'assistant', content: ''};
  chat.messages.push(message);
  chat.changed = Date.now();
  running = new AbortController();
  busy(true);
  show();
  const body = log.lastElementChild.querySelector?.('.body');
  body?.classList.add('growing');
  let drawn = false;
  const draw = () => {
    drawn = false;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    if (body?.isConnected) {
      fill(body, message);
      if (atEnd) {
        log.scrollTop = log.scrollHeight;
      }
    }
  };
  const begun = performance.now();
  try {
    const result = await answer(settings, sent, message, () => {
      if (!drawn) {
        drawn = true;
        requestAnimationFrame(draw);
      }
    }, running.signal);
    if (result.finish === 'length') {
      message.note = word('cut');
    }
    const seconds = (performance.now() - begun) / 1000;
    if (result.usage && seconds > 0) {
      const tokens = result.usage.completion_tokens;
      byId('speed').textContent = word('speed', tokens, (tokens / seconds).toFixed(1));
    }
  } catch (error) {
    if (error.name === 'AbortError') {
      message.note = word('stopped');
    } else {
      const reason = error instanceof TypeError ? word('unreachable') : error.message;
      message.note = word('failed', reason);
      byId('status').textContent = message.note;
    }
  } finally {
    running = null;
    busy(false);
    saveChats();
    if (chat === asked) {
      show();
    }
  }
}

function stop() {
  running?.abort();
}

function busy(value) {
  byId('send').hidden = value;
  byId('stop').hidden = !value;
  if (value) {
    byId('status').textContent = '';
  }
}

// ---- settings

const FIELDS = {
  'system': 'system', 'temperature': 'temperature', 'max-tokens': 'maxTokens', 'top-p': 'topP',
  'seed': 'seed', 'thinking': 'thinking', 'tools': 'tools', 'api-key': 'apiKey',
  'language': 'language', 'theme': 'theme', 'model': 'model',
};

function apply() {
  if (settings.theme) {
    document.documentElement.dataset.theme = settings.theme;
  } else {
    delete document.documentElement.dataset.theme;
  }
  setLanguage(settings.language);
}

function toolsAreJson() {
  try {
    return !settings.tools.trim() || Array.isArray(JSON.parse(settings.tools));
  } catch {
    return false;
  }
}

async function listModels() {
  try {
    const all = await models(settings);
    byId('model').replaceChildren(...all.map(model => new Option(model.id, model.id)));
    if (!all.some(model => model.id === settings.model)) {
      settings.model = all[0]?.id ?? '';
    }
    byId('model').value = settings.model;
    byId('status').textContent = '';
  } catch (error) {
    const reason = error instanceof TypeError ? word('unreachable') : error.message;
    byId('status').textContent = word('failed', reason);
  }
}

function openSettings() {
  for (const [id, name] of Object.entries(FIELDS)) {
    byId(id).value = settings[name];
  }
  byId('settings-error').textContent = '';
  byId('settings').showModal();
}

function closeSide() {
  document.body.classList.remove('side');
  byId('open-side').setAttribute('aria-expanded', 'false');
}

// ---- keys and buttons

function isSending(event) {
  // While a method of input composes a character, Enter belongs to it.
  return event.key === 'Enter' && !event.shiftKey && !event.isComposing;
}

byId('ask').addEventListener('submit', event => {
  event.preventDefault();
  const text = input.value;
  if (!running && text.trim()) {
    input.value = '';
    fit();
    send(text);
  }
});
input.addEventListener('keydown', event => {
  if (isSending(event)) {
    event.preventDefault();
    byId('ask').requestSubmit();
  }
});
function fit() {
  input.rows = Math.min(8, input.value.split('\n').length);
}
input.addEventListener('input', fit);
byId('stop').addEventListener('click', () => { stop(); input.focus(); });
document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && !byId('settings').open) {
    stop();
    closeSide();
  }
});
byId('new').addEventListener('click', () => choose(newChat()));
byId('export').addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([exported(chat)], {type: 'application/json'}));
  link.download = 'chat.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
byId('open-side').addEventListener('click', () => {
  document.body.classList.add('side');
  byId('open-side').setAttribute('aria-expanded', 'true');
  byId('new').focus();
});
byId('close-side').addEventListener('click', () => { closeSide(); byId('open-side').focus(); });
byId('open-settings').addEventListener('click', openSettings);
for (const [id, name] of Object.entries(FIELDS)) {
  byId(id).addEventListener('change', event => {
    settings[name] = event.target.value;
    saveSettings();
    apply();
    if (name === 'apiKey') {
      listModels();
    }
    if (name === 'language') {
      show();
    }
    byId('settings-error').textContent = toolsAreJson() ? '' : word('badTools');
  });
}

apply();
show();
listModels();
