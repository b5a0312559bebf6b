package io.minimind.artifact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFolderTest {
  private static final ModelConfig CONFIG = ModelConfig.of(32, 2, 2, 1, 256, 64);

  @TempDir private Path folder;

  /** A byte-level vocabulary without merges. */
  private static String byteTokenizer() {
    ObjectNode tokenizer = new ObjectMapper().createObjectNode();
    tokenizer.putObject("pre_tokenizer").put("type", "ByteLevel").put("add_prefix_space", false);
    tokenizer.putObject("decoder").put("type", "ByteLevel");
    ObjectNode bpe = tokenizer.putObject("model").put("type", "BPE");
    bpe.putArray("merges");
    ObjectNode vocabulary = bpe.putObject("vocab");
    IntStream.range('!', 0x100 + 68)
        .filter(symbol -> symbol <= '~' || symbol >= 0xA1 && symbol != 0xAD)
        .forEach(symbol -> vocabulary.put(Character.toString(symbol), vocabulary.size()));
    return tokenizer.toString();
  }

  @Test
  void nothingOfAnEarlierModelsTokenizerSurvives() throws IOException {
    Path tokenizer = Files.createDirectories(folder.resolve("tokenizer"));
    Files.writeString(tokenizer.resolve("tokenizer.json"), byteTokenizer());
    Files.writeString(tokenizer.resolve("chat_template.jinja"), "new");
    Path model = Files.createDirectories(folder.resolve("model"));
    for (String name : new String[] {"tokenizer.model", "tokenizer_config.json", "README.md"}) {
      Files.writeString(model.resolve(name), "old");
    }
    ModelFolder.writeConfiguration(model, CONFIG, tokenizer);
    assertEquals("new", Files.readString(model.resolve("chat_template.jinja")));
    assertTrue(Files.exists(model.resolve("tokenizer.json")));
    assertFalse(Files.exists(model.resolve("tokenizer.model")));
    assertFalse(Files.exists(model.resolve("tokenizer_config.json")));
    assertEquals("old", Files.readString(model.resolve("README.md")));

    Files.delete(tokenizer.resolve("chat_template.jinja"));
    ModelFolder.writeConfiguration(model, CONFIG, tokenizer);
    assertFalse(Files.exists(model.resolve("chat_template.jinja")));

    // Into the folder of the tokenizer itself.
    ModelFolder.writeConfiguration(tokenizer, CONFIG, tokenizer);
    assertEquals(byteTokenizer(), Files.readString(tokenizer.resolve("tokenizer.json")));
  }
}
