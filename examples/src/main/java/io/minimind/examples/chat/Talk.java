package io.minimind.examples.chat;

import io.minimind.files.ArgumentException;
import io.minimind.files.Quoted;
import io.minimind.infer.ContextLengthException;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.ReplyStream;
import io.minimind.template.TemplateException;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Goes from message to message: what begins with a slash is a command, all else is for the model.
 */
public final class Talk {
  /** The commands by name. */
  static final List<String> COMMANDS =
      List.of("/help", "/reset", "/system", "/set", "/think", "/save", "/load", "/exit");

  private static final String HELP =
      """
      /reset             forgets what was said
      /system TEXT       puts TEXT before the conversation; without TEXT, shows it; off removes it
      /set NAME VALUE    changes how answers are chosen; without both, shows the settings
      /think on|off      whether the model thinks before it answers
      /save FILE         writes the conversation to FILE
      /load FILE         goes on with the conversation in FILE
      /exit              ends, as Ctrl-D does
      A \\ at the end of a line, or Alt-Enter, goes on in a new one. Ctrl-C stops an answer.
      A message that begins with a slash needs a space before it.\
      """;

  private final Conversation conversation;
  private final Screen screen;
  private boolean failed;

  private Talk(Conversation conversation, Screen screen) {
    this.conversation = conversation;
    this.screen = screen;
  }

  /**
   * Talks until the input ends.
   *
   * @return whether all that was asked for was done; a person at a terminal has seen what was not,
   *     and it does not count
   * @throws IllegalStateException if the model cannot be used
   */
  public static boolean run(Conversation conversation, Screen screen) throws IOException {
    Talk talk = new Talk(conversation, screen);
    boolean more = true;
    while (more) {
      Optional<String> typed = screen.read();
      more = typed.isPresent() && talk.take(typed.get());
    }
    return screen.interactive() || !talk.failed;
  }

  /** Whether there is more to come. */
  private boolean take(String typed) {
    try {
      if (typed.startsWith("/")) {
        return obey(typed.strip());
      }
      if (!typed.isBlank()) {
        answer(typed.strip());
      }
    } catch (IOException
        | ArgumentException
        | ContextLengthException
        | TemplateException e) { // whoever typed it can do better
      failed = true;
      screen.complain(e.getMessage());
    }
    return true;
  }

  private void answer(String message) {
    try (ReplyStream answer = conversation.ask(message)) {
      screen.begin(answer::cancel);
      try {
        for (ReplyPart part : answer) {
          screen.show(part);
        }
      } finally {
        screen.end();
      }
      Reply reply = answer.result();
      conversation.answered(message, reply);
      screen.figures(reply);
    }
  }

  private boolean obey(String typed) throws IOException {
    String[] words = typed.split("\\s+", 2);
    String rest = words.length == 2 ? words[1] : "";
    switch (words[0]) {
      case "/help" -> screen.say(HELP);
      case "/reset" -> conversation.reset();
      case "/system" -> system(rest);
      case "/set" -> set(rest);
      case "/think" -> think(rest);
      case "/save" -> ConversationFile.write(file(words[0], rest), conversation.messages());
      case "/load" -> load(file(words[0], rest));
      case "/exit" -> {
        return false;
      }
      default ->
          throw new ArgumentException(
              "There is no command %s; /help shows what there is, and a message that begins with a slash needs a space before it."
                  .formatted(Quoted.text(words[0])));
    }
    return true;
  }

  private void system(String text) {
    switch (text) {
      case "" -> screen.say(conversation.systemPrompt().orElse("There is no system prompt."));
      case "off" -> conversation.systemPrompt(Optional.empty());
      default -> conversation.systemPrompt(Optional.of(text));
    }
  }

  private void set(String text) {
    if (text.isEmpty()) {
      screen.say(
          Setting.ALL.stream()
              .map(s -> s.name() + " " + s.value().apply(conversation.generation()))
              .collect(Collectors.joining("\n")));
      return;
    }
    String[] words = text.split("\\s+");
    Setting setting = Setting.of(words[0]);
    if (words.length != 2) {
      throw new ArgumentException("/set takes a name and a value, such as /set temperature 0.7.");
    }
    conversation.generation(options -> setting.change().apply(options, words[1]));
  }

  private void think(String text) {
    switch (text) {
      case "on" -> conversation.thinking(true);
      case "off" -> conversation.thinking(false);
      default -> throw new ArgumentException("/think takes on or off.");
    }
  }

  private void load(Path file) throws IOException {
    conversation.replace(ConversationFile.read(file));
    int messages = conversation.messages().size();
    screen.say(messages == 1 ? "1 message." : messages + " messages.");
  }

  private static Path file(String command, String name) {
    try {
      if (!name.isEmpty()) {
        return Path.of(name);
      }
    } catch (InvalidPathException e) {
      throw new ArgumentException("%s is no name of a file.".formatted(Quoted.text(name)), e);
    }
    throw new ArgumentException(command + " takes the name of a file.");
  }
}
