/**
 * Conversations and settings, kept in this browser alone. A conversation is
 * {id, title, changed, messages}; a message is as OpenAI's API has it.
 */
const CHATS = 'minimind.chats';
const SETTINGS = 'minimind.settings';
const DEFAULTS = {
  model: '', system: '', temperature: 0.7, topP: 1, maxTokens: '', seed: '', thinking: '',
  tools: '', apiKey: '', theme: '', language: navigator.language.startsWith('zh') ? 'zh' : 'en',
};

export const settings = {...DEFAULTS, ...read(SETTINGS, {})};
export const chats = read(CHATS, []).filter(chat => chat && Array.isArray(chat.messages));

function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise; // not ours, or forbidden
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: the conversation lives as long as the page.
  }
}

export function saveSettings() {
  write(SETTINGS, settings);
}

export function saveChats() {
  write(CHATS, chats.filter(chat => chat.messages.length > 0));
}

export function newChat() {
  const empty = chats.find(chat => chat.messages.length === 0);
  if (empty) {
    return empty;
  }
  const chat = {id: String(Date.now()) + Math.random(), title: '', changed: Date.now(), messages: []};
  chats.unshift(chat);
  return chat;
}

export function removeChat(chat) {
  chats.splice(chats.indexOf(chat), 1);
  saveChats();
}

/** A conversation as a text to keep. */
export function exported(chat) {
  return JSON.stringify({title: chat.title, messages: chat.messages}, null, 2);
}
