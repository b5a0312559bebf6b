package io.minimind.examples.chat;

import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Optional;

/**
 * Messages from a pipe or a file, and answers into one: nothing but what the model says, and that
 * ends with its line. All else goes where errors go.
 */
final class PipedScreen implements Screen {
  private final BufferedReader in;
  private final PrintStream out;
  private final PrintStream err;

  PipedScreen(BufferedReader in, PrintStream out, PrintStream err) {
    this.in = in;
    this.out = out;
    this.err = err;
  }

  @Override
  public boolean interactive() {
    return false;
  }

  @Override
  public Optional<String> read() throws IOException {
    if (out.checkError()) {
      return Optional.empty(); // nobody reads any more
    }
    StringBuilder message = new StringBuilder();
    String line = in.readLine();
    if (line == null) {
      return Optional.empty();
    }
    while (line != null && line.endsWith("\\")) {
      message.append(line, 0, line.length() - 1).append('\n');
      line = in.readLine();
    }
    return Optional.of(message.append(line == null ? "" : line).toString());
  }

  @Override
  public void begin(Runnable cancel) {}

  @Override
  public void show(ReplyPart part) {
    if (part instanceof ReplyPart.Text said) {
      out.print(Printable.of(said.text()));
      out.flush();
    }
  }

  @Override
  public void end() {
    out.println();
  }

  @Override
  public void figures(Reply reply) {}

  @Override
  public void say(String text) {
    err.println(text);
  }

  @Override
  public void complain(String sentence) {
    err.println(sentence);
  }

  @Override
  public void close() {}
}
