package io.minimind.infer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;

/** Writes small model folders as training exports them. */
final class ExportedModel {
  private static final ModelConfig CONFIG = ModelConfig.of(32, 2, 2, 1, 256, 64);

  private ExportedModel() {}

  /** A model of start weights that knows bytes. */
  static Path write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("tokenizer.json"), byteTokenizer());
    ModelFolder.writeConfiguration(folder, CONFIG, folder);
    ModelFolder.writeDecoder(folder, CONFIG, new Parameters(CONFIG).start(1));
    return folder;
  }

  /** A byte-level vocabulary without merges: its symbols stand for the 256 bytes. */
  static String byteTokenizer() {
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
}
