/** Asks the server, as any client of OpenAI's API would. */

function headers(settings) {
  const all = {'Content-Type': 'application/json'};
  if (settings.apiKey) {
    all.Authorization = 'Bearer ' + settings.apiKey;
  }
  return all;
}

async function check(response) {
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    throw new Error(body.error?.message ?? `${response.status} ${response.statusText}`);
  }
  return response;
}

export async function models(settings) {
  const response = await check(await fetch('v1/models', {headers: headers(settings)}));
  return (await response.json()).data;
}

function request(settings, messages) {
  const body = {
    model: settings.model,
    messages: settings.system ? [{role: 'system', content: settings.system}, ...messages] : messages,
    stream: true,
    stream_options: {include_usage: true},
    temperature: Number(settings.temperature),
    top_p: Number(settings.topP),
  };
  if (settings.maxTokens !== '') {
    body.max_tokens = Number(settings.maxTokens);
  }
  if (settings.seed !== '') {
    body.seed = Number(settings.seed);
  }
  if (settings.tools.trim()) {
    body.tools = JSON.parse(settings.tools);
  }
  if (settings.thinking) {
    const on = settings.thinking === 'on';
    body.chat_template_kwargs = {enable_thinking: on, open_thinking: on, thinking: on};
  }
  return body;
}

/**
 * Streams an answer into a message and calls `grown` after each change.
 *
 * @return {usage, finish} of the answer
 */
export async function answer(settings, messages, message, grown, signal) {
  const response = await check(await fetch('v1/chat/completions', {
    method: 'POST', headers: headers(settings), body: JSON.stringify(request(settings, messages)), signal,
  }));
  const result = {usage: null, finish: ''};
  for await (const data of events(response.body)) {
    if (data === '[DONE]') {
      break;
    }
    const event = JSON.parse(data);
    if (event.error) {
      throw new Error(event.error.message);
    }
    result.usage = event.usage ?? result.usage;
    const choice = event.choices?.[0];
    if (choice) {
      add(message, choice.delta ?? {});
      result.finish = choice.finish_reason ?? result.finish;
      grown();
    }
  }
  return result;
}

function add(message, delta) {
  if (delta.content) {
    message.content += delta.content;
  }
  if (delta.reasoning_content) {
    message.reasoning_content = (message.reasoning_content ?? '') + delta.reasoning_content;
  }
  for (const call of delta.tool_calls ?? []) {
    const {index, ...made} = call;
    (message.tool_calls ??= [])[index] = made;
  }
}

/** The data of server-sent events. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  try {
    while (true) {
      const {done, value} = await reader.read();
      if (done) {
        return;
      }
      held += value;
      const lines = held.split('\n');
      held = lines.pop();
      for (const line of lines) {
        if (line.startsWith('data: ')) {
          yield line.slice(6);
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
