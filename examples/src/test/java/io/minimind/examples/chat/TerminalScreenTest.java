package io.minimind.examples.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.chat.ToolCall;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.constraint.TokenConstraint;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jline.terminal.impl.ExternalTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TerminalScreenTest {
  private static final Path MODEL = Path.of("../models/minimind-demo").toAbsolutePath().normalize();
  private static final String UP = "\u001bOA";
  private static final String LEFT = "\u001bOD";

  @TempDir Path folder;
  private PipedOutputStream keys;
  private ByteArrayOutputStream shown;
  private TerminalScreen screen;

  private TerminalScreen open(String type) throws IOException {
    keys = new PipedOutputStream();
    shown = new ByteArrayOutputStream();
    ExternalTerminal terminal =
        new ExternalTerminal(
            "test", type, new PipedInputStream(keys), shown, StandardCharsets.UTF_8);
    screen = new TerminalScreen(terminal, folder.resolve("history"), true);
    return screen;
  }

  @AfterEach
  void close() throws IOException {
    if (screen != null) {
      screen.close();
    }
  }

  private void type(String text) throws IOException {
    keys.write(text.getBytes(StandardCharsets.UTF_8));
    keys.flush();
  }

  private String shown() {
    return shown.toString(StandardCharsets.UTF_8);
  }

  private void await(String text) throws InterruptedException {
    while (!shown().contains(text)) {
      Thread.sleep(5);
    }
  }

  private Optional<String> read(String typed) throws Exception {
    Future<Optional<String>> read = CompletableFuture.supplyAsync(screen::read);
    type(typed);
    return read.get(30, TimeUnit.SECONDS);
  }

  @Test
  void linesAreEdited() throws Exception {
    open("xterm");
    assertEquals(Optional.of("abc"), read("ac" + LEFT + "b\r"));
    assertEquals(Optional.of("白婶!"), read("白奶\u007f婶!\r"));
    assertEquals(Optional.of("a\\b \"c' !!"), read("a\\b \"c' !!\r"));
    assertEquals(Optional.empty(), read("\u0004"));
  }

  @Test
  void messagesMayHaveSeveralLines() throws Exception {
    open("xterm");
    assertEquals(Optional.of("one\ntwo"), read("one\\\rtwo\r"));
    assertEquals(Optional.of("one\ntwo"), read("one\u001b\rtwo\r"));
    assertEquals(Optional.of("pasted\nlines"), read("\u001b[200~pasted\nlines\u001b[201~\r"));
  }

  @Test
  void whatWasTypedIsThereTheNextTime() throws Exception {
    open("xterm");
    read("first\\\rmessage\r");
    read("second\r");
    screen.close();
    open("xterm");
    assertEquals(Optional.of("second"), read(UP + "\r"));
    assertEquals(Optional.of("first\nmessage"), read(UP + UP + "\r"));
  }

  @Test
  void aHistoryThatCannotBeKeptHoldsNobodyUp() throws Exception {
    Files.createDirectories(folder.resolve("history/inside"));
    open("xterm");
    assertEquals(Optional.of("first"), read("first\r"));
    assertEquals(Optional.of("first"), read(UP + "\r"));
  }

  @Test
  void reasoningAndCallsAreFaint() throws IOException {
    open("xterm");
    screen.begin(() -> {});
    screen.show(new ReplyPart.Reasoning("hm"));
    screen.show(new ReplyPart.Text("so"));
    screen.show(new ReplyPart.Call(new ToolCall("1", "add", "{\"a\":1}")));
    screen.end();
    assertEquals("\u001b[2mhm\u001b[0m\r\n\r\nso\u001b[2m[add {\"a\":1}]\u001b[0m\r\n", shown());
  }

  @Test
  void aDumbTerminalGetsNoEscapeCodes() throws Exception {
    open("dumb");
    screen.begin(() -> {});
    screen.show(new ReplyPart.Reasoning("hm"));
    screen.show(new ReplyPart.Text("so"));
    screen.end();
    assertEquals(Optional.of("hello"), read("hello\r"));
    assertFalse(shown().contains("\u001b"), shown());
  }

  @Test
  void aModelDoesNotCommandTheTerminal() throws IOException {
    open("xterm");
    screen.begin(() -> {});
    screen.show(new ReplyPart.Text("a\u001b]0;b\u0007\u009bc\td"));
    assertEquals("a\\u001b]0;b\\u0007\\u009bc\td", shown());
  }

  @Test
  void ctrlCStopsTheAnswerAndTheTalkGoesOn() throws Exception {
    open("xterm");
    Slow constraint = new Slow();
    GenerationOptions slow =
        GenerationOptions.greedy().withMaxNewTokens(400).withConstraint(constraint);
    try (LanguageModel model = LanguageModel.load(MODEL);
        Conversation conversation =
            new Conversation(model, ChatOptions.defaults().withGeneration(slow), 9)) {
      CompletableFuture<Boolean> talk =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return Talk.run(conversation, screen);
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      type("白婶是谁？\r");
      constraint.begun.await();
      type("\u0003");
      await("; stopped");
      type("/system on my own\r/system\r");
      await("on my own\r\n");
      type("/exit\r");
      assertTrue(talk.get(30, TimeUnit.SECONDS));
      assertEquals(3, conversation.messages().size(), "what was written of the answer is kept");
      assertTrue(constraint.tokens < 100, "written until it ended: " + constraint.tokens);
    }
  }

  /** Lets a model say anything, for ever, and slowly. */
  private static final class Slow implements TokenConstraint {
    private final CountDownLatch begun = new CountDownLatch(3);
    private volatile int tokens;

    @Override
    public State start(int budget) {
      return new State() {
        @Override
        public void allow(BitSet allowed) {
          try {
            Thread.sleep(30);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          allowed.set(3, 300);
        }

        @Override
        public boolean mayEnd() {
          return false;
        }

        @Override
        public void advance(int tokenId) {
          begun.countDown();
          tokens++;
        }
      };
    }
  }
}
