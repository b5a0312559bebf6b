package io.minimind.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Which tokens begin and end a text and fill up rows: those that {@code tokenizer_config.json}
 * names, or else {@code <s>} and {@code </s>}, of what the vocabulary has.
 */
public record TokenRoles(Optional<String> begin, Optional<String> end, Optional<String> padding) {

  /** Those of a tokenizer without a configuration. */
  public static TokenRoles of(Tokenizer tokenizer) {
    return new TokenRoles(known("<s>", tokenizer), known("</s>", tokenizer), Optional.empty());
  }

  /**
   * Those of a tokenizer with what its folder says.
   *
   * @throws IOException if the configuration is malformed
   */
  public static TokenRoles load(Path folder, Tokenizer tokenizer) throws IOException {
    JsonNode config = TokenizerConfig.read(folder.resolve(TokenizerConfig.NAME));
    TokenRoles usual = of(tokenizer);
    return new TokenRoles(
        named(config.path("bos_token"), tokenizer).or(usual::begin),
        named(config.path("eos_token"), tokenizer).or(usual::end),
        named(config.path("pad_token"), tokenizer));
  }

  private static Optional<String> named(JsonNode token, Tokenizer tokenizer) {
    JsonNode content = token.isObject() ? token.path("content") : token;
    return content.isTextual() ? known(content.textValue(), tokenizer) : Optional.empty();
  }

  private static Optional<String> known(String token, Tokenizer tokenizer) {
    return tokenizer.tokenId(token).isPresent() ? Optional.of(token) : Optional.empty();
  }
}
