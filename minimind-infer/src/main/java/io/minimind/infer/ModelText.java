package io.minimind.infer;

import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.template.TemplateException;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What text is to a model, as its folder says: the tokenizer, the tokens that begin and end a text,
 * and the template of its chats.
 */
final class ModelText {
  private static final int NONE = -1;

  private final Path folder;
  private final Tokenizer tokenizer;
  private final int start; // the token that begins a text, or none
  private final Set<Integer> end;
  private final ChatTemplate template; // null if there is none

  private ModelText(
      Path folder, Tokenizer tokenizer, int start, Set<Integer> end, ChatTemplate template) {
    this.folder = folder;
    this.tokenizer = tokenizer;
    this.start = start;
    this.end = end;
    this.template = template;
  }

  /**
   * @throws IOException if a file is missing or broken
   */
  static ModelText read(Path folder) throws IOException {
    String name = Tokenizer.file(folder).getFileName().toString();
    return read(folder, Tokenizer.load(ModelFolder.of(folder).file(name)));
  }

  /** The same with a tokenizer from elsewhere. */
  static ModelText read(Path folder, Tokenizer tokenizer) throws IOException {
    Optional<ChatTemplate> template;
    try {
      template = ChatTemplate.find(folder);
    } catch (TemplateException e) {
      throw new IOException(e.getMessage(), e);
    }
    ModelFolder files = ModelFolder.of(folder);
    Set<Integer> end = new HashSet<>();
    files.endOfText(tokenizer).ifPresent(end::add);
    template.flatMap(found -> endOfTurn(found, tokenizer)).ifPresent(end::add);
    int start = files.startOfText(tokenizer).orElse(NONE);
    return new ModelText(folder, tokenizer, start, end, template.orElse(null));
  }

  /** The special token that a template writes behind what the assistant says. */
  private static Optional<Integer> endOfTurn(ChatTemplate template, Tokenizer tokenizer) {
    String said = "answer";
    String text;
    try {
      text = template.render(List.of(Message.user("question"), Message.assistant(said)));
    } catch (TemplateException e) {
      return Optional.empty(); // it wants conversations of another kind
    }
    int end = text.lastIndexOf(said);
    String rest = end < 0 ? "" : text.substring(end + said.length()).stripLeading();
    return tokenizer.specialTokens().entrySet().stream()
        .filter(token -> rest.startsWith(token.getKey()))
        .max(Comparator.comparing(token -> token.getKey().length()))
        .map(Map.Entry::getValue);
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  /** Tokens that end a text besides those that the configuration names. */
  Set<Integer> end() {
    return end;
  }

  Optional<ChatTemplate> template() {
    return Optional.ofNullable(template);
  }

  /**
   * @throws IllegalStateException if there is none
   */
  ChatTemplate requireTemplate() {
    if (template == null) {
      throw new IllegalStateException(
          "The model in %s has no chat template, so it cannot chat: put a file chat_template.jinja, or a tokenizer_config.json that has one, into its folder."
              .formatted(folder));
    }
    return template;
  }

  /**
   * The tokens of a text that begins with the start token, if there is one.
   *
   * @param name of the text, for whoever gave null
   */
  int[] encode(String text, String name) {
    Objects.requireNonNull(text, name);
    int[] ids = tokenizer.encode(text);
    if (start == NONE || ids.length > 0 && ids[0] == start) {
      return ids;
    }
    int[] begun = new int[ids.length + 1];
    begun[0] = start;
    System.arraycopy(ids, 0, begun, 1, ids.length);
    return begun;
  }
}
