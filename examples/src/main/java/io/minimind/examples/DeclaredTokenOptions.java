package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.files.InputFile;
import io.minimind.template.Template;
import io.minimind.template.TemplateException;
import io.minimind.tokenizer.DeclaredTokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say which tokens a new tokenizer has besides those that it learns. */
final class DeclaredTokenOptions {

  private enum Preset {
    MINIMIND(DeclaredTokens.MINIMIND),
    CHATML(DeclaredTokens.CHAT_ML);

    private final DeclaredTokens tokens;

    Preset(DeclaredTokens tokens) {
      this.tokens = tokens;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = "--tokens",
      paramLabel = "PRESET",
      defaultValue = "minimind",
      description =
          "What there is besides what is learnt: minimind, that is <unk>, <s> and </s>; or chatml,"
              + " the 36 of MiniMind's present version, with tags for thoughts and tools.")
  private Preset preset;

  @Option(
      names = "--special-tokens",
      paramLabel = "TOKENS",
      split = ",",
      description = "Special tokens in the place of the preset's, with commas between them.")
  private List<String> special;

  @Option(
      names = "--user-tokens",
      paramLabel = "TOKENS",
      split = ",",
      description =
          "Tokens in the place of the preset's that are part of texts, such as <think>,</think>.")
  private List<String> userDefined;

  @Option(
      names = "--begin-token",
      paramLabel = "TOKEN",
      description = "The special token that begins a text; the preset's unless given.")
  private String begin;

  @Option(names = "--end-token", paramLabel = "TOKEN", description = "The one that ends a text.")
  private String end;

  @Option(
      names = "--padding-token",
      paramLabel = "TOKEN",
      description = "The one that fills up rows.")
  private String padding;

  @Option(
      names = "--unknown-token",
      paramLabel = "TOKEN",
      description = "The one for what has no token.")
  private String unknown;

  @Option(
      names = "--chat-template",
      paramLabel = "FILE",
      description = "A Jinja template of conversations; the preset's unless given.")
  private Path chatTemplate;

  /**
   * @throws IllegalArgumentException if they do not fit each other, or the template is none
   * @throws IOException if the template cannot be read
   */
  DeclaredTokens tokens() throws IOException {
    DeclaredTokens base = preset.tokens;
    DeclaredTokens tokens =
        new DeclaredTokens(
            special == null ? base.special() : special,
            userDefined == null ? base.userDefined() : userDefined,
            unknown == null ? base.unknown() : unknown,
            begin == null ? base.begin() : begin,
            end == null ? base.end() : end,
            padding == null ? base.padding() : Optional.of(padding),
            base.chatTemplate());
    if (chatTemplate == null) {
      return tokens;
    }
    String template = InputFile.text(chatTemplate);
    if (template.isBlank()) {
      throw new InputException(chatTemplate + " is empty: expected a template such as Jinja's.");
    }
    try {
      Template.parse(template, chatTemplate.toString());
    } catch (TemplateException e) {
      throw new ArgumentException(e.getMessage(), e);
    }
    return tokens.withChatTemplate(template);
  }
}
