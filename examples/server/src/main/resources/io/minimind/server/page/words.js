/** What the page says, in English and Chinese. */
const WORDS = {
  en: {
    skip: 'Skip to the message', newChat: 'New chat', settings: 'Settings', exportChat: 'Export chat',
    chats: 'Chats', close: 'Close', model: 'Model', conversation: 'Conversation', message: 'Message',
    placeholder: 'Ask something. Enter sends, Shift+Enter begins a new line.',
    send: 'Send', stop: 'Stop', system: 'System prompt', temperature: 'Temperature',
    maxTokens: 'Longest answer in tokens', noLimit: 'no limit', topP: 'Top-p', seed: 'Seed',
    anySeed: 'any', thinking: 'Thinking', asModel: 'as the model likes', on: 'on', off: 'off',
    tools: 'Tools, as JSON', apiKey: 'API key', language: 'Language', theme: 'Colours',
    asSystem: 'as the system', light: 'light', dark: 'dark', done: 'Done',
    you: 'You', assistant: 'Model', tool: 'Tool', thought: 'Thoughts', thinkingNow: 'Thinking…',
    call: 'Calls', result: 'What the tool gave back', giveBack: 'Give back', copy: 'Copy', copied: 'Copied', edit: 'Edit',
    regenerate: 'Again', remove: 'Delete', save: 'Send', cancel: 'Cancel', untitled: 'New chat',
    stopped: 'stopped', cut: 'cut at its longest', speed: '{0} tokens, {1} a second',
    failed: 'That did not work: {0}', unreachable: 'the server does not answer.',
    badTools: 'The tools are no JSON list.', empty: 'What would you like to talk about?',
  },
  zh: {
    skip: '跳到输入框', newChat: '新对话', settings: '设置', exportChat: '导出对话',
    chats: '对话列表', close: '关闭', model: '模型', conversation: '对话', message: '消息',
    placeholder: '请输入。回车发送，Shift+回车换行。',
    send: '发送', stop: '停止', system: '系统提示', temperature: '温度',
    maxTokens: '回答最多的词元数', noLimit: '不限', topP: 'Top-p', seed: '随机种子',
    anySeed: '任意', thinking: '思考', asModel: '由模型决定', on: '开', off: '关',
    tools: '工具（JSON）', apiKey: 'API 密钥', language: '语言', theme: '颜色',
    asSystem: '跟随系统', light: '浅色', dark: '深色', done: '完成',
    you: '你', assistant: '模型', tool: '工具', thought: '思考过程', thinkingNow: '正在思考…',
    call: '调用', result: '工具返回的内容', giveBack: '返回', copy: '复制', copied: '已复制', edit: '编辑',
    regenerate: '重新回答', remove: '删除', save: '发送', cancel: '取消', untitled: '新对话',
    stopped: '已停止', cut: '已达最大长度', speed: '{0} 个词元，每秒 {1} 个',
    failed: '出错了：{0}', unreachable: '服务器没有回应。',
    badTools: '工具不是 JSON 列表。', empty: '想聊点什么？',
  },
};

let language = 'en';

export function setLanguage(value) {
  language = WORDS[value] ? value : 'en';
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  for (const element of document.querySelectorAll('[data-word]')) {
    element.textContent = word(element.dataset.word);
  }
  for (const element of document.querySelectorAll('[data-placeholder]')) {
    element.placeholder = word(element.dataset.placeholder);
  }
  for (const element of document.querySelectorAll('[data-title]')) {
    element.title = word(element.dataset.title);
    element.setAttribute('aria-label', element.title);
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', word(element.dataset.label));
  }
}

/** A word or sentence; {0} and so on stand for the values. */
export function word(name, ...values) {
  return WORDS[language][name].replace(/\{(\d)\}/g, (all, index) => values[index]);
}
