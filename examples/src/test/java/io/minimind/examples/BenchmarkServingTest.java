package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.examples.Commands.Result;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchmarkServingTest {
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  private Result bench(String... more) {
    List<String> args = new ArrayList<>(List.of("bench", "serve", "--rounds=1", "--threads=1"));
    args.addAll(List.of(more));
    PrintStream console = System.out;
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      return Commands.run(args.toArray(String[]::new));
    } finally {
      System.setOut(console);
    }
  }

  @Test
  void aRowForTheSdkAndForEachNumberOfClients() {
    String[] tiny = {
      "--hidden-size=32",
      "--layers=1",
      "--heads=2",
      "--key-value-heads=1",
      "--tokenizer=../models/minimind-demo",
      "--tokens=3",
      "--clients=1,3"
    };
    assertEquals(new Result(0, ""), bench(tiny));
    List<String> lines = printed.toString(StandardCharsets.UTF_8).lines().skip(3).toList();
    assertEquals(
        List.of("SDK", "SDK in a batch", "server, 1 client", "server, 3 clients"),
        lines.stream().map(line -> line.substring(0, 19).strip()).toList());
    assertTrue(lines.get(0).matches("SDK .* ms \\(1.00\\) .* \\( 1.00\\) .* \\( 1.00\\)"));
  }

  @Test
  void mistakesGetASentence() {
    assertTrue(bench("--tokens=1").err().startsWith("--tokens must be at least 2"));
    assertTrue(bench("--clients=0").err().startsWith("--clients must be between 1"));
    String demo = "--model=../models/minimind-demo";
    assertTrue(bench(demo, "--tokens=300").err().contains("the model's context ends at 256"));
    assertTrue(bench("--model=gone").err().startsWith("There is no model folder at gone"));
  }
}
