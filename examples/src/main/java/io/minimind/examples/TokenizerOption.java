package io.minimind.examples;

import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which tokenizer a command uses. */
final class TokenizerOption {

  @Option(
      names = "--tokenizer",
      required = true,
      paramLabel = "DIR",
      description = "Folder of the tokenizer, or its file.")
  private Path path;

  Tokenizer load() throws IOException {
    return Tokenizer.load(path);
  }
}
