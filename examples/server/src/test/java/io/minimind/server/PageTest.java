package io.minimind.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.chat.Message;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The page in a real browser. Where {@code minimind.pictures} names a folder, pictures of it are
 * put there.
 */
class PageTest {
  @TempDir private static Path folder;
  private static DemoServer server;
  private static Browser browser;

  @BeforeAll
  static void start() throws IOException {
    Optional<Path> program = Browser.find();
    assumeTrue(program.isPresent(), "there is no Chromium on this machine");
    server = DemoServer.start(b -> b);
    browser = Browser.start(program.get(), folder.resolve("profile"));
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
    if (server != null) {
      server.close();
    }
  }

  @BeforeEach
  void open() throws IOException {
    browser.size(1100, 720, false);
    browser.dark(false);
    browser.open(server.uri("/"));
    browser.evaluate("localStorage.clear()");
    browser.evaluate(
        "localStorage.setItem('minimind.settings', JSON.stringify({temperature: 0, language:"
            + " 'en'}))");
    browser.open(server.uri("/"));
  }

  private static String text(String selector) {
    return browser.evaluate("document.querySelector('" + selector + "').innerText").asText();
  }

  private static void ask(String question) throws IOException {
    browser.evaluate("document.getElementById('input').focus()");
    browser.type(question);
    browser.press("Enter");
    browser.await("document.querySelector('article.assistant')");
  }

  private static void awaitEnd() throws IOException {
    browser.await("document.getElementById('stop').hidden");
  }

  private static void picture(String name) throws IOException {
    String pictures = System.getProperty("minimind.pictures");
    if (pictures != null) {
      Files.write(Path.of(pictures, name + ".png"), browser.picture());
    }
  }

  @Test
  void aQuestionIsAnsweredKeptAndAskedAgain() throws IOException {
    ask("你是谁？");
    awaitEnd();
    String expected =
        server
            .model()
            .reply(
                List.of(Message.user("你是谁？")),
                ChatOptions.defaults().withGeneration(GenerationOptions.greedy()))
            .text();
    assertEquals(expected, text("article.assistant .body"));
    assertTrue(text("#speed").contains("tokens"));
    picture("chat-light");
    browser.dark(true);
    picture("chat-dark");

    // It is still there when the page is loaded anew.
    browser.open(server.uri("/"));
    assertEquals(expected, text("article.assistant .body"));
    assertEquals("你是谁？", text("#chats [aria-current]"));

    browser.evaluate("document.querySelectorAll('article.assistant .actions button')[1].click()");
    browser.await("document.querySelector('article.assistant .body').innerText.length > 3");
    awaitEnd();
    assertEquals(expected, text("article.assistant .body"));

    browser.evaluate("document.querySelectorAll('article.user .actions button')[1].click()");
    browser.evaluate("document.querySelector('textarea.edit').value = '你会做什么？'");
    browser.press("Enter");
    browser.await("document.querySelector('article.user .body').innerText === '你会做什么？'");
    awaitEnd();
    assertEquals(2, browser.evaluate("document.querySelectorAll('article').length").intValue());
    assertEquals("", browser.complaints());
  }

  @Test
  void anAnswerIsStopped() throws IOException {
    // A server whose answer has no end: a real one may be faster than this machine's browser.
    browser.evaluate(
        """
        (() => {
          const real = window.fetch;
          const event = 'data: {"choices": [{"index": 0, "delta": {"content": "Endless"}}]}\\n\\n';
          window.fetch = (url, options) => options?.body
            ? Promise.resolve(new Response(new ReadableStream({
                start(events) {
                  events.enqueue(new TextEncoder().encode(event));
                  options.signal.addEventListener('abort',
                    () => events.error(new DOMException('stopped', 'AbortError')));
                },
              })))
            : real(url, options);
        })()\
        """);
    ask("你是谁？");
    browser.await(
        "document.querySelector('article.assistant .body').innerText.includes('Endless')");
    assertFalse(browser.evaluate("document.getElementById('stop').hidden").booleanValue());
    browser.press("Escape");
    awaitEnd();
    assertTrue(text("article.assistant .note").contains("stopped"));
    assertTrue(text("article.assistant .body").contains("Endless"));
  }

  @Test
  void theKeyboardAloneIsEnough() throws IOException {
    browser.evaluate("document.body.focus(); document.activeElement.blur()");
    StringBuilder reached = new StringBuilder();
    for (int i = 0; i < 12; i++) {
      browser.press("Tab");
      reached
          .append(
              browser
                  .evaluate("document.activeElement.id || document.activeElement.className")
                  .asText())
          .append(' ');
    }
    for (String id : new String[] {"new", "open-settings", "model", "log", "input"}) {
      assertTrue(reached.toString().contains(id), reached.toString());
    }
    browser.evaluate("document.getElementById('open-settings').focus()");
    browser.press("Enter");
    browser.await("document.getElementById('settings').open");
    browser.press("Escape");
    browser.await("!document.getElementById('settings').open");
  }

  @Test
  void aPhoneShowsEverythingInItsWidth() throws IOException {
    browser.size(390, 700, true);
    browser.open(server.uri("/"));
    ask("你是谁？");
    awaitEnd();
    assertEquals(390, browser.evaluate("document.documentElement.scrollWidth").intValue());
    assertFalse(
        browser
            .evaluate("document.getElementById('side').getBoundingClientRect().right > 0")
            .booleanValue());
    picture("chat-phone");
    browser.evaluate("document.getElementById('open-side').click()");
    browser.await("document.getElementById('side').getBoundingClientRect().left === 0");
  }

  @Test
  void theLanguageIsTheReaders() throws IOException {
    browser.evaluate("localStorage.setItem('minimind.settings', JSON.stringify({language: 'zh'}))");
    browser.open(server.uri("/"));
    assertEquals("新对话", text("#new"));
    assertEquals("zh-CN", browser.evaluate("document.documentElement.lang").asText());
  }

  @Test
  void whatAModelWritesIsNeverHtml() throws IOException {
    String hostile =
        "<script>window.hit = 1</script><img src=x onerror=window.hit=1> **bold** `<b>`\\n\\n"
            + "[link](javascript:window.hit=1) [good](https://a.example/?q=<b>)\\n\\n"
            + "```html\\n<iframe srcdoc=x></iframe>\\n```\\n\\n<svg onload=window.hit=1>\\n\\n"
            + "| <i>a</i> | b |\\n|---|---|\\n| 1 | <a href=javascript:hit()>2</a> |\\n\\n"
            + "1. one\\n2. <style>body{display:none}</style>\\n\\n> quote <object data=x>";
    browser.evaluate(
        "localStorage.setItem('minimind.chats', JSON.stringify([{id: '1', title: '<img src=x>',"
            + " messages: [{role: 'user', content: '<b>hi</b><script>hit()</script>'}, {role:"
            + " 'assistant', content: \""
            + hostile
            + "\", reasoning_content: '<u>why</u>', tool_calls: [{id: 'c', type: 'function',"
            + " function: {name: '<b>', arguments: '<i>'}}]}]}]))");
    browser.open(server.uri("/"));
    JsonNode counts =
        browser.evaluate(
            "(() => { const log = document.getElementById('log'); const count = s =>"
                + " log.querySelectorAll(s).length; return {bad: count('script, img, iframe, svg,"
                + " style, object, i, u, b, [onerror], [onload]'), strong: count('p > strong'),"
                + " code: count('pre code'), table: count('table td'), items: count('ol li'),"
                + " links: [...log.querySelectorAll('a')].map(a => a.protocol).join(), hit:"
                + " window.hit ?? 0, text: log.innerText}; })()");
    assertEquals(0, counts.path("bad").intValue(), counts.toString());
    assertEquals(0, counts.path("hit").intValue());
    assertEquals(1, counts.path("strong").intValue(), counts.toString());
    assertEquals(1, counts.path("code").intValue(), counts.toString());
    assertEquals(2, counts.path("table").intValue(), counts.toString());
    assertEquals(2, counts.path("items").intValue(), counts.toString());
    assertEquals("https:", counts.path("links").textValue());
    assertTrue(counts.path("text").textValue().contains("<script>window.hit = 1</script>"));
    assertTrue(counts.path("text").textValue().contains("<b>hi</b>"));
    assertEquals("<img src=x>", text("#chats [aria-current]"));
  }
}
