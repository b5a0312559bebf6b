package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.tokenizer.TokenRoles;
import io.minimind.tokenizer.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerCommandTest {

  private static final String CORPUS = Commands.CORPUS.toString();
  private static final String TOKENIZER = Commands.TOKENIZER.toString();
  private static final String TEXT = "床前明月光，\n \"quoted\"\t\\ 𝄞\r\n</s>\u0007";

  private final PrintStream standardOutput = System.out;
  private final InputStream standardInput = System.in;
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();

  @TempDir private Path folder;

  @BeforeEach
  void redirect() {
    System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restore() {
    System.setOut(standardOutput);
    System.setIn(standardInput);
  }

  /** What a command prints. */
  private String run(String... args) {
    output.reset();
    Commands.Result result = Commands.run(args);
    assertEquals(new Commands.Result(0, ""), result);
    return output.toString(StandardCharsets.UTF_8);
  }

  private void assertRefused(List<String> parts, String... args) {
    assertRefused(1, parts, args);
  }

  private void assertRefused(int status, List<String> parts, String... args) {
    Commands.Result result = Commands.run(args);
    assertEquals(status, result.status(), result.err());
    List<String> lines = result.err().lines().toList();
    assertEquals(status, lines.size(), "a wrong command line also gets a hint: " + result.err());
    assertTrue(lines.get(0).endsWith("."), result.err());
    for (String part : parts) {
      assertTrue(lines.get(0).contains(part), "'" + part + "' in: " + result.err());
    }
  }

  private void assertTrainingRefused(List<String> parts, String... args) throws IOException {
    Path out = folder.resolve("refused");
    List<String> all = new ArrayList<>(List.of("tokenizer", "train", "--out", out.toString()));
    all.addAll(List.of(args));
    assertRefused(parts, all.toArray(String[]::new));
    assertFalse(Files.exists(out));
  }

  @Test
  void aTrainedTokenizerIsUsable() throws IOException {
    Path out = folder.resolve("new/tokenizer");
    String said = run("tokenizer", "train", "--data=" + CORPUS, "--vocab-size=500", "--out=" + out);
    assertTrue(said.contains(out + " has 500 tokens. "), said);
    Tokenizer tokenizer = Tokenizer.load(out);
    assertEquals(500, tokenizer.vocabularySize());
    assertEquals(TEXT, tokenizer.decode(tokenizer.encode(TEXT)));
    try (var files = Files.list(out)) {
      assertEquals(
          List.of("tokenizer.json", "tokenizer_config.json"),
          files.map(file -> file.getFileName().toString()).sorted().toList());
    }
  }

  /**
   * ChatML's tokens from conversations, a model that begins and ends texts with them, and a chat.
   */
  @Test
  void aTokenizerOfChatMlIsTrainedOnConversationsAndTrainedWith() throws IOException {
    Path out = folder.resolve("chatml");
    run(
        "tokenizer",
        "train",
        "--data=" + Commands.CHATS,
        "--max-rows=200",
        "--tokens=chatml",
        "--vocab-size=400",
        "--out=" + out);
    Path model = folder.resolve("model");
    Path cache = folder.resolve("cache");
    run(Commands.pretrain(model, cache, "--tokenizer=" + out, "--max-updates=2"));
    JsonNode generation =
        new ObjectMapper().readTree(model.resolve("generation_config.json").toFile());
    assertEquals(1, generation.required("bos_token_id").intValue());
    assertEquals(2, generation.required("eos_token_id").intValue());
    assertEquals(0, generation.required("pad_token_id").intValue());
    Path chat = folder.resolve("chat");
    run(
        Commands.sft(
            model,
            chat,
            cache,
            "--max-updates=2",
            "--loss=all-turns",
            "--drop-empty-thinking=0.8"));
    try (LanguageModel language = LanguageModel.load(chat)) {
      assertTrue(language.canChat());
      GenerationOptions one = GenerationOptions.greedy().withMaxNewTokens(1);
      assertArrayEquals(
          language.generate(new int[] {1}, one).tokenIds(),
          language.generate("", one).tokenIds(),
          "a text begins with the token of that role");
    }
  }

  @Test
  void tokensOfOnesOwnHaveRoles() throws IOException {
    Path out = folder.resolve("own");
    String[] train = {
      "tokenizer",
      "train",
      "--data=" + CORPUS,
      "--vocab-size=300",
      "--out=" + out,
      "--special-tokens=<pad>,<a>,<b>",
      "--user-tokens=<think>,</think>",
      "--unknown-token=<pad>",
      "--begin-token=<a>",
      "--end-token=<b>",
      "--padding-token=<pad>"
    };
    run(train);
    assertEquals(
        new TokenRoles(Optional.of("<a>"), Optional.of("<b>"), Optional.of("<pad>")),
        TokenRoles.load(out, Tokenizer.load(out)));
    Commands.Result wrong =
        Commands.run(
            "tokenizer", "train", "--data=" + CORPUS, "--out=" + folder, "--end-token=<c>");
    assertEquals(2, wrong.status());
    assertTrue(wrong.err().contains("<c> has a role"), wrong.err());
  }

  @Test
  void theSameTextsInAnyKindOfFileGiveTheSameTokenizer() throws IOException {
    List<String> texts = List.of("一行一首诗", "a line, \"a poem\"", "another line");
    Path csv = folder.resolve("a.csv");
    Files.writeString(csv, "id,text\n1,一行一首诗\n2,\"a line, \"\"a poem\"\"\"\n3,another line\n");
    Path txt = Files.write(folder.resolve("a.txt"), texts);
    ObjectMapper json = new ObjectMapper();
    StringBuilder lines = new StringBuilder();
    for (String text : texts) {
      lines.append(json.writeValueAsString(Map.of("n", 1, "text", text))).append('\n');
    }
    Path jsonl = Files.writeString(folder.resolve("a.jsonl"), lines);
    Path first = Files.write(folder.resolve("first.txt"), texts.subList(0, 1));
    Path rest = Files.write(folder.resolve("rest.txt"), texts.subList(1, 3));

    byte[] expected = trained(csv);
    assertArrayEquals(expected, trained(txt));
    assertArrayEquals(expected, trained(jsonl));
    assertArrayEquals(expected, trained(first, rest));
  }

  private byte[] trained(Path... data) throws IOException {
    Path out = Files.createTempDirectory(folder, "tokenizer");
    List<String> args = new ArrayList<>(List.of("tokenizer", "train", "--vocab-size=270"));
    args.addAll(List.of("--out", out.toString(), "--data"));
    for (Path file : data) {
      args.add(file.toString());
    }
    run(args.toArray(String[]::new));
    return Files.readAllBytes(out.resolve("tokenizer.json"));
  }

  @Test
  void saysWhenTheTextsAreTooFew() throws IOException {
    Path data = Files.writeString(folder.resolve("a.txt"), "ab");
    Path out = folder.resolve("out");
    String said = run("tokenizer", "train", "--data=" + data, "--out=" + out);
    assertTrue(said.contains("has 260 tokens, for the texts have no more pairs"), said);
  }

  @Test
  void refusesWhatCannotBeTrainedOn() throws IOException {
    Path data = folder.resolve("data.jsonl");
    assertTrainingRefused(List.of("There is no file " + data), "--data=" + data);
    assertTrainingRefused(List.of(folder + " is a folder"), "--data=" + folder);
    Files.writeString(data, "");
    assertTrainingRefused(List.of(data + " is empty"), "--data=" + data);
    Files.writeString(data, "\n\n{\"text\": \"\"}\n");
    assertTrainingRefused(List.of("There is no text in " + data), "--data=" + data);
    Files.writeString(data, "{\"text\": \"a\"}\n{\"text\": \n");
    assertTrainingRefused(List.of("Row 2 of " + data + " (line 2)", "not JSON"), "--data=" + data);
    Files.writeString(data, "{\"text\": \"a\"}\n\n{\"prose\": \"b\"}\n");
    assertTrainingRefused(List.of("Row 2 of " + data + " (line 3)", "\"text\""), "--data=" + data);
    assertTrainingRefused(
        List.of("Row 2 of " + data + " (line 3)"), "--data", CORPUS, data.toString());
    Files.writeString(data, "{\"text\": \"a\"}\n{\"text\": 5}\n");
    assertTrainingRefused(
        List.of("Row 2 of " + data + " (line 2)", "it has 5 where a text"), "--data=" + data);
    Files.write(data, new byte[] {'{', (byte) 0xFF});
    assertTrainingRefused(List.of(data + " is not valid UTF-8 at line 1"), "--data=" + data);
    Path csv = Files.writeString(folder.resolve("data.csv"), "prose\nabc\n");
    assertTrainingRefused(List.of(csv + " has none of the columns \"text\""), "--data=" + csv);
  }

  @Test
  void refusesAVocabularySmallerThanTheAlphabet() throws IOException {
    for (String size : List.of("258", "-1")) {
      Path out = folder.resolve("refused");
      assertRefused(
          2,
          List.of(size, "259"),
          "tokenizer",
          "train",
          "--out=" + out,
          "--data=" + CORPUS,
          "--vocab-size=" + size);
      assertFalse(Files.exists(out));
    }
  }

  @Test
  void losesNothingThatIsThere() throws IOException {
    Path out = folder.resolve("out");
    Files.createDirectory(out);
    for (String name : List.of("tokenizer.json", "tokenizer.model")) {
      Path file = Files.writeString(out.resolve(name), "precious");
      assertRefused(
          List.of(out + " already holds a tokenizer", name, "--out"),
          "tokenizer",
          "train",
          "--data=" + CORPUS,
          "--out=" + out);
      assertEquals("precious", Files.readString(file));
      Files.delete(file);
    }
    Path file = Files.writeString(folder.resolve("file"), "precious");
    for (Path place : List.of(file, file.resolve("below"))) {
      assertRefused(
          List.of(place + " cannot be the folder", file + " is a file"),
          "tokenizer",
          "train",
          "--data=" + CORPUS,
          "--out=" + place);
    }
    assertEquals("precious", Files.readString(file));
  }

  @Test
  void whatEncodePrintsDecodeReads() throws IOException {
    Tokenizer tokenizer = Tokenizer.load(Commands.TOKENIZER);
    Path text = Files.writeString(folder.resolve("text"), TEXT);
    String encoded = run("tokenizer", "encode", "--tokenizer=" + TOKENIZER, "--file=" + text);
    List<String> ids = encoded.lines().map(line -> line.split("\t")[0]).toList();
    assertArrayEquals(tokenizer.encode(TEXT), ids.stream().mapToInt(Integer::parseInt).toArray());
    Map<String, String> pieces =
        encoded
            .lines()
            .map(line -> line.split("\t", 2))
            .collect(Collectors.toMap(line -> line[0], line -> line[1], (a, b) -> a));
    assertEquals("</s>", pieces.get("2"));
    assertEquals(encoded.lines().count(), tokenizer.encode(TEXT).length, "control characters");

    Path file = Files.writeString(folder.resolve("ids"), encoded);
    assertEquals(TEXT, run("tokenizer", "decode", "--tokenizer=" + TOKENIZER, "--file=" + file));
    System.setIn(new ByteArrayInputStream(encoded.getBytes(StandardCharsets.UTF_8)));
    assertEquals(TEXT, run("tokenizer", "decode", "--tokenizer=" + TOKENIZER));
    assertEquals(
        TEXT, run("tokenizer", "decode", "--tokenizer=" + TOKENIZER, String.join(", ", ids)));

    assertEquals("", run("tokenizer", "encode", "--tokenizer=" + TOKENIZER, ""));
    assertEquals("", run("tokenizer", "decode", "--tokenizer=" + TOKENIZER, ""));
    assertEquals(
        run("tokenizer", "encode", "--tokenizer=" + TOKENIZER, "two words"),
        run("tokenizer", "encode", "--tokenizer=" + TOKENIZER, "two", "words"));
  }

  @Test
  void unicodeLineEndsEndNoLine() throws IOException {
    String separators = "\u2028\u2029";
    Path trained = folder.resolve("trained");
    List<String> texts = List.of(separators.repeat(9), "\u2028a\u2029");
    ByteLevelBpeTrainer.ofSize(264).train(texts.iterator()).save(trained);
    Tokenizer tokenizer = Tokenizer.load(trained);
    String plain = new Pieces(tokenizer).plain(tokenizer.encode(separators));
    assertTrue(plain.contains("\\u2028"), plain);
    assertFalse(plain.contains("\u2028"), plain);
    assertFalse(plain.contains("\u2029"), plain);

    Path ids = Files.writeString(folder.resolve("ids"), "300\tx\u2028 301\u2029 302\n303");
    assertEquals(
        Tokenizer.load(Commands.TOKENIZER).decode(new int[] {300, 303}),
        run("tokenizer", "decode", "--tokenizer=" + TOKENIZER, "--file=" + ids));
  }

  @Test
  void aDeviceIsAFileToo() {
    Path device = Path.of("/dev/null");
    assumeTrue(Files.exists(device), "there are no such devices on this system");
    assertEquals("", run("tokenizer", "encode", "--tokenizer=" + TOKENIZER, "--file=" + device));
  }

  @Test
  void colouredPiecesAreTheText() throws IOException {
    Tokenizer tokenizer = Tokenizer.load(Commands.TOKENIZER);
    String text = "明月，\n人不\u001b[2J";
    int[] ids = tokenizer.encode(text);
    String coloured = new Pieces(tokenizer).coloured(ids);
    String colours = "\u001b\\[[0-9;]*m";
    String[] parts = coloured.replaceAll(colours, "").split("\n");
    assertEquals("明月，⏎", parts[0]);
    assertEquals("人不\\u001b[2J", parts[1]);
    assertEquals(
        Arrays.stream(ids).mapToObj(String::valueOf).collect(Collectors.joining(" ")),
        parts[2].strip());
    assertEquals(3, parts.length);
    // Every colour is ended before the line is, and neighbours differ.
    List<String> starts = new ArrayList<>();
    for (String line : coloured.split("\n")) {
      assertTrue(line.strip().endsWith("\u001b[0m"), line);
    }
    Pattern.compile(colours)
        .matcher(coloured)
        .results()
        .map(MatchResult::group)
        .filter(colour -> !colour.equals("\u001b[0m"))
        .forEach(starts::add);
    assertNotEquals(starts.get(0), starts.get(1));
  }

  @Test
  void partsOfCharactersAreSpelled() throws IOException {
    Tokenizer tokenizer = Tokenizer.load(Commands.TOKENIZER);
    Pieces pieces = new Pieces(tokenizer);
    // The first byte of every Chinese character from U+4000 on, as byte-level vocabularies write
    // it.
    int half = tokenizer.tokenId("ä").orElseThrow();
    assertTrue(pieces.isPart(half));
    assertEquals("ä", pieces.piece(half));
    for (int id : tokenizer.encode("a b")) {
      assertFalse(pieces.isPart(id));
    }
  }

  @Test
  void refusesWhatIsNoInput() throws IOException {
    String option = "--tokenizer=" + TOKENIZER;
    Path missing = folder.resolve("missing");
    assertRefused(List.of(missing.toString()), "tokenizer", "encode", option, "--file=" + missing);
    assertRefused(
        2, List.of("--file", "\"x\""), "tokenizer", "encode", option, "--file=" + missing, "x");
    assertRefused(2, List.of("\"x\"", "token id"), "tokenizer", "decode", option, "1", "x");
    assertRefused(2, List.of("2048", "out of range"), "tokenizer", "decode", option, "2048");
    Path broken = Files.write(folder.resolve("broken"), new byte[] {'a', (byte) 0xFF});
    assertRefused(
        List.of(broken + " is not valid UTF-8"), "tokenizer", "encode", option, "--file=" + broken);
    assertRefused(
        List.of(missing.toString()), "tokenizer", "encode", "--tokenizer=" + missing, "x");
  }

  @Test
  void statisticsAddUp() throws IOException {
    Tokenizer tokenizer = Tokenizer.load(Commands.TOKENIZER);
    Path data = Files.writeString(folder.resolve("a.txt"), "床前明月光\n<unk> 𝄞𝄞\n\n");
    String said = run("tokenizer", "stats", "--tokenizer=" + TOKENIZER, "--data=" + data);
    Map<String, String> values =
        said.lines()
            .collect(
                Collectors.toMap(
                    line -> line.substring(0, 20).strip(), line -> line.substring(21).strip()));
    int[] first = tokenizer.encode("床前明月光");
    int[] second = tokenizer.encode("<unk> 𝄞𝄞");
    assertEquals("2", values.get("texts"));
    assertEquals("29", values.get("bytes"));
    assertEquals("13", values.get("characters"));
    int tokens = first.length + second.length;
    assertEquals(String.valueOf(tokens), values.get("tokens"));
    assertEquals("1", values.get("unknown tokens"));
    assertEquals(String.format(Locale.ROOT, "%.3f", 29.0 / tokens), values.get("bytes a token"));
    long parts =
        IntStream.concat(Arrays.stream(first), Arrays.stream(second))
            .filter(id -> tokenizer.decode(new int[] {id}).contains("\uFFFD"))
            .count();
    assertTrue(parts > 0, "the clef is not in the vocabulary");
    assertTrue(values.get("parts of characters").startsWith(parts + " ("), said);
    assertTrue(values.get("vocabulary used").contains(" of 2,048 ("), said);
  }
}
