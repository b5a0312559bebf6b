package io.minimind.examples.chat;

import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Where a person types messages and reads answers. */
public interface Screen extends AutoCloseable {

  /**
   * The terminal of this process, or its standard streams where one of them is no terminal.
   *
   * @param history keeps what was typed for the next time
   */
  static Screen open(Path history) throws IOException {
    if (System.console() == null) {
      return new PipedScreen(
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
          System.out,
          System.err);
    }
    Terminal terminal =
        TerminalBuilder.builder().encoding(StandardCharsets.UTF_8).dumb(true).build();
    boolean plain = !System.getenv().getOrDefault("NO_COLOR", "").isEmpty();
    return new TerminalScreen(terminal, history, !plain);
  }

  /** Whether a person sits before it. */
  boolean interactive();

  /** The next message, of one line or several; empty at the end of the input. */
  Optional<String> read() throws IOException;

  /**
   * Shows an answer that is to come.
   *
   * @param cancel ends it, when the person asks for that
   */
  void begin(Runnable cancel);

  /** Shows the next part of an answer. */
  void show(ReplyPart part);

  /** The answer has ended, or failed. */
  void end();

  /** Shows what an answer took. */
  void figures(Reply reply);

  /** Shows words that are not the model's. */
  void say(String text);

  /** Shows what went wrong. */
  void complain(String sentence);

  @Override
  void close() throws IOException;
}
