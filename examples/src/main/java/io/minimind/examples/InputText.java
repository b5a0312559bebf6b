package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a command works on: its arguments, a file, or else standard input. */
final class InputText {

  @Parameters(
      arity = "0..*",
      paramLabel = "INPUT",
      description = "The input, unless --file is given.")
  private List<String> arguments = List.of();

  @Option(
      names = "--file",
      paramLabel = "FILE",
      description = "File with the input; standard input where there is neither.")
  private Path file;

  /** The whole input; arguments are joined by spaces. */
  String read() throws IOException {
    if (file != null && !arguments.isEmpty()) {
      throw new ArgumentException(
          "There is a --file and also \"%s\": give one of them.".formatted(arguments.get(0)));
    }
    if (!arguments.isEmpty()) {
      return String.join(" ", arguments);
    }
    if (file != null) {
      if (!Files.exists(file) || Files.isDirectory(file)) {
        throw new InputException("There is no file " + file + ": --file takes a file.");
      }
      return decode(Files.readAllBytes(file), file.toString());
    }
    InputStream in = System.in;
    return decode(in.readAllBytes(), "Standard input");
  }

  private static String decode(byte[] bytes, String name) throws IOException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new InputException(name + " is not valid UTF-8.", e);
    }
  }
}
