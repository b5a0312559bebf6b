package io.minimind.examples.chat;

import io.minimind.chat.ToolCall;
import io.minimind.infer.FinishReason;
import io.minimind.infer.Generation;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jline.keymap.KeyMap;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.reader.Widget;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Terminal;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStyle;

/** A terminal, with editing of lines and a history of what was typed. */
final class TerminalScreen implements Screen {
  private static final String PROMPT = "> ";
  private static final Runnable NOTHING = () -> {};

  private final Terminal terminal;
  private final LineReader reader;
  private final AttributedStyle aside;
  private volatile Runnable cancel = NOTHING;
  private boolean reasoning; // whether the part before was
  private boolean lineBegun; // whether something stands in the line of the cursor

  /**
   * @param styled whether what the model does not say looks fainter than what it says
   */
  TerminalScreen(Terminal terminal, Path history, boolean styled) {
    this.terminal = terminal;
    aside = styled ? AttributedStyle.DEFAULT.faint() : AttributedStyle.DEFAULT;
    LineReaderBuilder builder =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .parser(messages())
            .completer(new StringsCompleter(Talk.COMMANDS))
            .variable(LineReader.SECONDARY_PROMPT_PATTERN, " ".repeat(PROMPT.length()))
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true); // "!" is no command
    if (canKeep(history)) {
      builder.variable(LineReader.HISTORY_FILE, history);
    }
    reader = builder.build();
    reader
        .getKeyMaps()
        .get(LineReader.MAIN)
        .bind((Widget) this::beginLine, KeyMap.alt('\r'), KeyMap.alt('\n'));
    terminal.handle(Terminal.Signal.INT, signal -> cancel.run());
  }

  /** Whether a file is a history or can become one. */
  private static boolean canKeep(Path file) {
    try {
      if (Files.exists(file)) {
        Files.readAllLines(file);
        return Files.isWritable(file);
      }
      return Files.isWritable(file.toAbsolutePath().getParent());
    } catch (IOException e) {
      return false;
    }
  }

  private boolean beginLine() {
    reader.getBuffer().write('\n');
    return true;
  }

  /** Messages are words, quotes mean nothing, and a backslash at the end goes on in a new line. */
  private static Parser messages() {
    DefaultParser words = new DefaultParser();
    words.setQuoteChars(new char[0]);
    words.setEscapeChars(new char[0]);
    return (line, cursor, context) -> {
      if (context == Parser.ParseContext.ACCEPT_LINE && line.endsWith("\\")) {
        throw new EOFError(-1, -1, "The message goes on.");
      }
      return words.parse(line, cursor, context);
    };
  }

  @Override
  public boolean interactive() {
    return true;
  }

  @Override
  public Optional<String> read() {
    while (true) {
      try {
        return Optional.of(reader.readLine(PROMPT).replace("\\\n", "\n"));
      } catch (UserInterruptException e) {
        if (e.getPartialLine().isEmpty()) {
          say("Ctrl-D ends.");
        }
      } catch (EndOfFileException e) {
        return Optional.empty();
      }
    }
  }

  @Override
  public void begin(Runnable cancel) {
    this.cancel = cancel;
    reasoning = false;
  }

  @Override
  public void show(ReplyPart part) {
    if (part instanceof ReplyPart.Reasoning thought) {
      write(thought.text(), aside);
      reasoning = true;
      return;
    }
    if (reasoning) {
      write("\n\n", AttributedStyle.DEFAULT);
      reasoning = false;
    }
    if (part instanceof ReplyPart.Text said) {
      write(said.text(), AttributedStyle.DEFAULT);
    } else if (part instanceof ReplyPart.Call made) {
      ToolCall call = made.call();
      write("[%s %s]".formatted(call.name(), call.arguments()), aside);
    }
  }

  @Override
  public void end() {
    cancel = NOTHING;
    if (lineBegun) {
      write("\n", AttributedStyle.DEFAULT);
    }
  }

  @Override
  public void figures(Reply reply) {
    write(figures(reply.generation()) + "\n", aside);
  }

  private static String figures(Generation generation) {
    int tokens = generation.tokenIds().length;
    StringBuilder figures = new StringBuilder(tokens == 1 ? "1 token" : tokens + " tokens");
    double seconds = generation.decodeTime().toNanos() / 1e9;
    if (tokens > 1 && seconds > 0) {
      figures.append(format(", %.1f tokens/s", (tokens - 1) / seconds));
    }
    figures.append(format(", the first after %.2f s", generation.promptTime().toNanos() / 1e9));
    if (generation.finishReason() == FinishReason.CANCELLED) {
      figures.append("; stopped");
    } else if (generation.finishReason() == FinishReason.LENGTH) {
      figures.append("; cut, as long as it may be");
    }
    return figures.toString();
  }

  private static String format(String format, double number) {
    return String.format(Locale.ROOT, format, number);
  }

  @Override
  public void say(String text) {
    write(text + "\n", AttributedStyle.DEFAULT);
  }

  @Override
  public void complain(String sentence) {
    say(sentence);
  }

  private void write(String text, AttributedStyle style) {
    lineBegun = !text.endsWith("\n");
    terminal.writer().print(new AttributedString(Printable.of(text), style).toAnsi(terminal));
    terminal.flush();
  }

  @Override
  public void close() throws IOException {
    terminal.close();
  }
}
