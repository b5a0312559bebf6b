package io.minimind.examples;

import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows the tokens of a text. */
@Command(
    name = "encode",
    description = {
      "Shows the tokens of a text and their ids.",
      "On a terminal the tokens stand on alternating colours; else there is a line for each, id and"
          + " token, which 'minimind tokenizer decode' reads."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class EncodeText implements Callable<Integer> {

  @Mixin private TokenizerOption tokenizerOption;

  @Mixin private InputText input;

  public static void main(String[] args) {
    MiniMind.run(new EncodeText(), args);
  }

  @Override
  public Integer call() throws IOException {
    Tokenizer tokenizer = tokenizerOption.load();
    Pieces pieces = new Pieces(tokenizer);
    String text = input.read();
    int[] ids = tokenizer.encode(text);
    if (!Pieces.coloursWanted()) {
      System.out.print(pieces.plain(ids));
      return 0;
    }
    System.out.print(pieces.coloured(ids));
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    System.out.printf(
        Locale.ROOT,
        "%,d tokens, %,d bytes: %.2f bytes a token%n",
        ids.length,
        bytes,
        (double) bytes / Math.max(1, ids.length));
    return 0;
  }
}
