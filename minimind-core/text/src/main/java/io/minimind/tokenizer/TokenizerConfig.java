package io.minimind.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import io.minimind.chat.ChatTemplate;
import io.minimind.files.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The {@code tokenizer_config.json} of a new tokenizer: special tokens and chat template. */
final class TokenizerConfig {

  private TokenizerConfig() {}

  /**
   * Writes the file with MiniMind's chat template.
   *
   * @param folder created if it does not exist
   * @param tokenizerClass the class that transformers is to load the tokenizer with
   * @throws IOException if it cannot be written; the message is a sentence that names it
   */
  static void save(Path folder, String tokenizerClass) throws IOException {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new IOException(
          "Cannot make the folder %s: %s.".formatted(folder, AtomicFile.reason(e)), e);
    }
    AtomicFile.replace(
        folder.resolve("tokenizer_config.json"),
        IndentedJson.object(json -> write(json, tokenizerClass)));
  }

  private static void write(JsonGenerator json, String tokenizerClass) throws IOException {
    json.writeStringField("tokenizer_class", tokenizerClass);
    for (String field : List.of("add_bos_token", "add_eos_token", "add_prefix_space")) {
      json.writeBooleanField(field, false);
    }
    json.writeObjectFieldStart("added_tokens_decoder");
    for (int id = 0; id < TrainedTokenizer.SPECIAL_TOKENS.size(); id++) {
      json.writeObjectFieldStart(String.valueOf(id));
      json.writeStringField("content", TrainedTokenizer.SPECIAL_TOKENS.get(id));
      for (String field : List.of("lstrip", "normalized", "rstrip", "single_word")) {
        json.writeBooleanField(field, false);
      }
      json.writeBooleanField("special", true);
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeStringField("bos_token", TrainedTokenizer.BEGIN);
    json.writeStringField("eos_token", TrainedTokenizer.END);
    json.writeStringField("unk_token", TrainedTokenizer.UNKNOWN);
    json.writeNullField("pad_token");
    json.writeBooleanField("clean_up_tokenization_spaces", false);
    json.writeStringField("chat_template", ChatTemplate.MINIMIND);
  }
}
