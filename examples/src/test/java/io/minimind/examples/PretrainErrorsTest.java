package io.minimind.examples;

import static io.minimind.examples.Commands.CORPUS;
import static io.minimind.examples.Commands.contents;
import static io.minimind.examples.Commands.copy;
import static io.minimind.examples.Commands.latest;
import static io.minimind.examples.Commands.pretrain;
import static io.minimind.examples.Commands.resume;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.examples.Commands.Result;
import io.minimind.runtime.Device;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each mistake gets one sentence that names its cause, and loses nothing. */
class PretrainErrorsTest {

  /** Ends after five updates, with checkpoints of the last two. */
  private static final String[] SHORT = {"--max-updates=5", "--save-every=1"};

  @TempDir static Path shared;
  private static Path finished;
  private static Path cache;

  @TempDir Path folder;
  private Path out;

  @BeforeAll
  static void train() {
    finished = shared.resolve("finished");
    cache = shared.resolve("cache");
    assertEquals(new Result(0, ""), Commands.run(pretrain(finished, cache, SHORT)));
  }

  @BeforeEach
  void name() {
    out = folder.resolve("out");
  }

  /** A new run is refused with a sentence that has these parts, and makes nothing. */
  private void assertRefused(int status, List<String> parts, String... options) {
    assertSays(status, parts, pretrain(out, cache, options));
    assertFalse(Files.exists(out), "nothing is made for a run that cannot start");
  }

  private static void assertSays(int status, List<String> parts, String... args) {
    Result result = Commands.run(args);
    List<String> lines = result.err().lines().toList();
    // A wrong command line also gets a hint at the help.
    assertEquals(status == 2 ? 2 : 1, lines.size(), result.err());
    for (String part : parts) {
      assertTrue(lines.get(0).contains(part), "'" + part + "' in: " + lines.get(0));
    }
    assertEquals(status, result.status(), result.err());
  }

  private Path corpus(byte[] bytes) throws IOException {
    Path file = folder.resolve("corpus.csv");
    Files.write(file, bytes);
    return file;
  }

  private void assertCorpusRefused(String text, String... parts) throws IOException {
    assertCorpusRefused(text.getBytes(StandardCharsets.UTF_8), parts);
  }

  private void assertCorpusRefused(byte[] bytes, String... parts) throws IOException {
    Path file = corpus(bytes);
    List<String> expected = new ArrayList<>(Arrays.asList(parts));
    expected.add(file.toString());
    assertRefused(1, expected, "--data=" + file);
    assertRefused(1, expected, "--validation=" + file);
  }

  @Test
  void brokenData() throws IOException {
    assertCorpusRefused("", "is empty");
    assertCorpusRefused("text\n", "has no rows");
    assertCorpusRefused("text\n\"\"\n \n", "None of the 2 rows");
    assertCorpusRefused("prose\nabc\n", "has no column \"text\"", "\"prose\"");
    assertCorpusRefused("text\nabc\n\"def\n", "A quote in row 2", "line 3", "never closed");
    assertCorpusRefused(
        "text\ndef,ghi\n", "None of the 1 rows", "row 1 (line 2): it has 2 cells where");
    byte[] broken = "text\nabc\nd?f\n".getBytes(StandardCharsets.UTF_8);
    broken[10] = (byte) 0xff;
    assertCorpusRefused(broken, "is not valid UTF-8 at line 3", "offset 10");
    Path json = folder.resolve("corpus.jsonl");
    Files.writeString(json, "{\"text\": 5}\n{\"text\": [\"a\"]}\n");
    String number =
        "None of the 2 rows of " + json + " can be used; row 1 (line 1): it has 5 where";
    assertRefused(1, List.of(number), "--data=" + json);
    assertRefused(1, List.of(number), "--validation=" + json);
    Path missing = folder.resolve("missing.csv");
    assertRefused(1, List.of("There is no file " + missing), "--data=" + missing);
    assertRefused(1, List.of("There is no file " + missing), "--validation=" + missing);
    assertRefused(1, List.of(folder + " is a folder"), "--data=" + folder);
  }

  @Test
  void brokenTokenizers() throws IOException {
    Path tokenizer = folder.resolve("tokenizer");
    Path file = tokenizer.resolve("tokenizer.json");
    assertRefused(1, List.of(tokenizer.toString()), "--tokenizer=" + tokenizer);
    Files.createDirectory(tokenizer);
    assertRefused(
        1, List.of(tokenizer.toString(), "expected tokenizer.json"), "--tokenizer=" + tokenizer);
    String sound = Files.readString(Commands.TOKENIZER.resolve("tokenizer.json"));
    Files.writeString(file, sound.substring(0, sound.length() / 2));
    assertRefused(1, List.of(file.toString()), "--tokenizer=" + tokenizer);
    Files.writeString(file, sound.replace("\"</s>\"", "\"<end>\""));
    assertRefused(
        1, List.of(tokenizer.toString(), "no token that ends a text"), "--tokenizer=" + tokenizer);
  }

  @Test
  void aGpuThatCannotBeUsed() {
    String missing = Device.problem(Device.parse("cuda:999")).orElseThrow();
    assertRefused(2, List.of(missing), "--devices=cuda:999");
    assertRefused(2, List.of("--cuda-memory", "at least 1", "0"), "--cuda-memory=0");
  }

  @Test
  void impossibleSettings() {
    assertRefused(2, List.of("--heads", "32", "5"), "--heads=5");
    assertRefused(2, List.of("--key-value-heads", "2", "3"), "--heads=2", "--key-value-heads=3");
    assertRefused(2, List.of("--hidden-size", "0"), "--hidden-size=0");
    assertRefused(2, List.of("--layers", "-1"), "--layers=-1");
    assertRefused(2, List.of("cannot be trained", "178,956,970"), "--layers=1000000");
    assertRefused(2, List.of("--max-length", "1"), "--max-length=1");
    assertRefused(2, List.of("batch size", "0"), "--batch-size=0");
    assertRefused(2, List.of("batch size", "2000000"), "--batch-size=2000000");
    assertRefused(2, List.of("learning rate", "-1"), "--learning-rate=-1");
    assertRefused(2, List.of("learning rate", "NaN"), "--learning-rate=NaN");
    assertRefused(2, List.of("epochs", "0"), "--epochs=0");
    assertRefused(2, List.of("accumulation", "0"), "--accumulation=0");
    assertRefused(2, List.of("warm-up", "-3"), "--warmup=-3");
    assertRefused(2, List.of("weight decay", "-1"), "--weight-decay=-1");
    assertRefused(2, List.of("gradient norm", "0"), "--clip=0");
    assertRefused(2, List.of("updates", "0"), "--max-updates=0");
    assertRefused(2, List.of("checkpoints to keep", "0"), "--keep=0");
    assertRefused(2, List.of("log interval", "0"), "--log-every=0");
    for (String fraction : List.of("1.5", "1", "-0.5", "NaN")) {
      assertRefused(
          2, List.of("--validation-fraction", fraction), "--validation-fraction=" + fraction);
    }
    assertRefused(2, List.of("number of threads", "0"), "--threads=0");
    assertRefused(
        2,
        List.of("--preset", "huge", "expected tiny, small, base, moe, minimind3 or minimind3_moe."),
        "--preset=huge");
    assertRefused(2, List.of("--epochs", "many"), "--epochs=many");
    assertRefused(2, List.of("--bach-size"), "--bach-size=3");
    assertRefused(
        2,
        List.of("--validation or --validation-fraction"),
        "--validation=" + CORPUS,
        "--validation-fraction=0.1");
    assertSays(2, List.of("--data", "--tokenizer"), "pretrain", "--out=" + out);
  }

  @Test
  void brokenPrompts() throws IOException {
    Path prompts = folder.resolve("prompts.txt");
    assertRefused(1, List.of("There is no file " + prompts, "--prompts"), "--prompts=" + prompts);
    Files.writeString(prompts, "\n \n");
    assertRefused(1, List.of(prompts + " holds no prompts"), "--prompts=" + prompts);
    Files.write(prompts, new byte[] {'a', (byte) 0xff, 'b'});
    assertRefused(1, List.of(prompts + " is not valid UTF-8"), "--prompts=" + prompts);
  }

  @Test
  void aFileWhereTheRunShouldBe() throws IOException {
    Files.writeString(out, "precious");
    assertSays(1, List.of(out.toString()), pretrain(out, cache, SHORT));
    assertEquals("precious", Files.readString(out));
  }

  @Test
  void aFolderThatHoldsARun() throws IOException {
    copy(finished, out);
    assertKept(List.of(out + " already holds a run", "--resume", "--out"), pretrain(out, cache));
  }

  @Test
  void aFolderThatHoldsAModel() throws IOException {
    Files.createDirectory(out);
    Files.copy(finished.resolve("model.safetensors"), out.resolve("model.safetensors"));
    assertKept(List.of(out + " already holds a model", "--out"), pretrain(out, cache));
  }

  /** As an earlier version wrote it, or a person who changes it on purpose. */
  private static String withoutChecksum(String settings) {
    return settings.replaceFirst(",\\s*\"checksum\" : \"\\w*\"", "");
  }

  /** A command on the run in {@code out} fails with these words and leaves every file as it was. */
  private void assertKept(List<String> parts, String... args) throws IOException {
    Map<Path, ByteBuffer> before = contents(out);
    assertSays(1, parts, args);
    assertEquals(before, contents(out));
  }

  @Test
  void nothingToResume() throws IOException {
    assertSays(1, List.of(out + " holds no run", "settings.json"), resume(out, cache));
    assertFalse(Files.exists(out));
    copy(finished, out);
    for (Path checkpoint : checkpoints()) {
      delete(checkpoint);
    }
    assertKept(List.of("no checkpoint in " + out), resume(out, cache));
  }

  private List<Path> checkpoints() throws IOException {
    try (var entries = Files.list(out.resolve("checkpoints"))) {
      return entries.toList();
    }
  }

  @Test
  void otherSettingsForAResumedRun() throws IOException {
    copy(finished, out);
    for (String option : new String[] {"--learning-rate=1", "--layers=2", "--tokenizer=x"}) {
      Map<Path, ByteBuffer> before = contents(out);
      String name = option.substring(0, option.indexOf('='));
      assertSays(
          2,
          List.of(out.resolve("settings.json") + ": leave out " + name),
          resume(out, cache, option));
      assertEquals(before, contents(out));
    }
  }

  @Test
  void dataThatHasMoved() throws IOException {
    copy(finished, out);
    delete(latest(out));
    Path moved = Files.copy(CORPUS, folder.resolve("moved.csv"));
    assertEquals(new Result(0, ""), Commands.run(resume(out, cache, "--data=" + moved)));
    assertTrue(sameWeights());
    assertTrue(Files.readString(out.resolve("settings.json")).contains(moved.toString()));
    // From now on it is looked for there.
    Files.delete(moved);
    assertKept(List.of("There is no file " + moved), resume(out, cache));
    assertEquals(new Result(0, ""), Commands.run(resume(out, cache, "--data=" + CORPUS)));
    assertKept(2, List.of("began without --validation"), "--validation=" + CORPUS);
  }

  @Test
  void dataThatHasChanged() throws IOException {
    String rows = Files.readString(CORPUS);
    Path data = Files.writeString(folder.resolve("data.csv"), rows);
    Path validation = Files.writeString(folder.resolve("validation.csv"), rows);
    String[] options = {"--data=" + data, "--validation=" + validation, "--max-updates=1"};
    assertEquals(new Result(0, ""), Commands.run(pretrain(out, cache, options)));
    Path other = folder.resolve("other.csv");
    for (String name : List.of("--data", "--validation")) {
      Files.writeString(other, rows);
      assertEquals(new Result(0, ""), Commands.run(resume(out, cache, name + "=" + other)));
      // As many rows as before.
      Files.writeString(other, rows.replaceFirst("。", "。。"));
      String sentence = other + " does not hold the rows that the run began with";
      assertKept(1, List.of(sentence, "restore it"), name + "=" + other);
      assertKept(1, List.of(sentence));
      Path earlier = name.equals("--data") ? data : validation;
      assertEquals(new Result(0, ""), Commands.run(resume(out, cache, name + "=" + earlier)));
    }
    // A run of an earlier version says less.
    Path settings = out.resolve("settings.json");
    String said = Files.readString(settings);
    String less = withoutChecksum(said).replaceAll(",\\s*\"checksums\" : \\[[^]]*\\]", "");
    assertTrue(less.length() < said.length(), said);
    Files.writeString(settings, less);
    assertEquals(new Result(0, ""), Commands.run(resume(out, cache, "--data=" + other)));
  }

  private void assertKept(int status, List<String> parts, String... options) throws IOException {
    Map<Path, ByteBuffer> before = contents(out);
    assertSays(status, parts, resume(out, cache, options));
    assertEquals(before, contents(out));
  }

  @Test
  void damagedCheckpoints() throws IOException {
    copy(finished, out);
    Path newest = latest(out);
    Path file = newest.resolve("checkpoint");
    byte[] sound = Files.readAllBytes(file);
    List<String> sentence =
        List.of("The checkpoint " + newest + " is damaged", "Delete this folder");
    Files.write(file, Arrays.copyOf(sound, sound.length * 2 / 3));
    assertKept(sentence, resume(out, cache));
    Random random = new Random(8);
    for (int i = 0; i < 20; i++) {
      byte[] flipped = sound.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, flipped);
      assertKept(sentence, resume(out, cache));
    }
    Files.write(file, sound);
    Files.writeString(newest.resolve("state.json"), "{");
    assertKept(sentence, resume(out, cache));

    // The advice of the sentence works, and ends where the run ended before.
    delete(newest);
    assertEquals(new Result(0, ""), Commands.run(resume(out, cache)));
    assertEquals(newest, latest(out));
    assertTrue(sameWeights());
  }

  private static void delete(Path checkpoint) throws IOException {
    try (Stream<Path> files = Files.list(checkpoint)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(checkpoint);
  }

  private boolean sameWeights() throws IOException {
    return Files.mismatch(out.resolve("model.safetensors"), finished.resolve("model.safetensors"))
        == -1;
  }

  @Test
  void aCheckpointOfAnotherArchitecture() throws IOException {
    Path other = folder.resolve("other");
    String[] wider = {"--layers=2", "--max-updates=5", "--save-every=1"};
    assertEquals(new Result(0, ""), Commands.run(pretrain(other, cache, wider)));
    copy(finished, out);
    Path newest = latest(out);
    delete(newest);
    copy(latest(other), newest);
    assertKept(
        List.of(
            "The checkpoint " + newest.resolve("checkpoint"),
            "another architecture",
            out.resolve("settings.json").toString()),
        resume(out, cache));
  }

  @Test
  void damagedSettings() throws IOException {
    copy(finished, out);
    Path settings = out.resolve("settings.json");
    String sealed = Files.readString(settings);
    Files.writeString(settings, sealed.replaceFirst("\"epochs\" : 1", "\"epochs\" : 2"));
    assertKept(List.of(settings + " was changed or is damaged: "), resume(out, cache));
    String sound = withoutChecksum(sealed);
    assertFalse(sound.equals(sealed));
    for (String broken :
        List.of(
            sound.substring(0, sound.length() / 2),
            "{}",
            "",
            sound.replaceFirst("\"num_attention_heads\" : 2", "\"num_attention_heads\" : 3"))) {
      assertFalse(broken.equals(sound));
      Files.writeString(settings, broken);
      assertKept(List.of(settings + " is not valid"), resume(out, cache));
    }
    Files.writeString(settings, sound.replaceFirst("\"epochs\" : 1", "\"epochs\" : 0"));
    String sentence = " is not valid: The number of epochs must be at least 1, but is 0.";
    assertKept(List.of(settings + sentence), resume(out, cache));
  }

  @Test
  void dataThatChangedSinceTheRunBegan() throws IOException {
    Path data = corpus(Files.readAllBytes(CORPUS));
    assertEquals(
        new Result(0, ""), Commands.run(pretrain(out, cache, "--data=" + data, "--max-updates=2")));
    Files.writeString(data, Files.readString(data) + "one more\n");
    assertKept(List.of(data.toString(), "123", "122"), resume(out, cache));
    Files.delete(data);
    assertKept(List.of("There is no file " + data), resume(out, cache));
  }

  @Test
  void aRunThatDiedBeforeItsModelWasWritten() throws IOException {
    copy(finished, out);
    Files.delete(out.resolve("model.safetensors"));
    assertEquals(new Result(0, ""), Commands.run(resume(out, cache)));
    assertTrue(sameWeights());
    assertEquals(latest(finished).getFileName(), latest(out).getFileName());
  }

  @Test
  void aLearningRateThatDestroysTheModel() throws IOException {
    assertSays(
        1,
        List.of("no longer a number", "lower learning rate", "are kept"),
        pretrain(out, cache, "--learning-rate=1e30", "--save-every=100"));
    assertTrue(latest(out).endsWith("update-00000000"));
  }

  @Test
  void aFullDisk() throws Exception {
    Path disk = folder.resolve("disk");
    Files.createDirectory(disk);
    Assumptions.assumeTrue(
        system("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", disk.toString()),
        "mounting a small file system is not allowed here");
    try {
      Path full = disk.resolve("cache");
      assertSays(1, List.of(full.toString(), "space"), pretrain(out, full, SHORT));
      out = disk.resolve("out");
      assertSays(1, List.of(out.toString(), "No space left"), pretrain(out, cache, SHORT));
      // Room for the start and one checkpoint, but not for all that a run keeps.
      for (int kilobytes : new int[] {900, 1500, 2000}) {
        assertTrue(resized(disk, kilobytes));
        boolean started = Files.exists(out.resolve("settings.json"));
        String[] args = started ? resume(out, cache) : pretrain(out, cache, SHORT);
        assertSays(1, List.of(out.toString(), "No space left"), args);
      }
      assertTrue(resized(disk, 20_000));
      assertEquals(new Result(0, ""), Commands.run(resume(out, cache)));
      assertTrue(sameWeights());
    } finally {
      // Files that were mapped keep it busy until their buffers are collected.
      assertTrue(system("umount", "--lazy", disk.toString()));
    }
  }

  private static boolean resized(Path disk, int kilobytes) throws Exception {
    return system("mount", "-o", "remount,size=" + kilobytes + "k", disk.toString());
  }

  private static boolean system(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void aModelThatCannotBeEvaluated() throws IOException {
    String[] eval = {"eval", "pretrain", "--model", out.toString()};
    assertSays(1, List.of(out.toString()), eval);
    copy(finished, out);
    assertSays(
        1,
        List.of("There is no file nowhere.txt", "--prompts"),
        "eval",
        "pretrain",
        "--model=" + out,
        "--prompts=nowhere.txt");
    for (String name :
        new String[] {"config.json", "model.onnx", "model.safetensors", "tokenizer.json"}) {
      Path file = out.resolve(name);
      byte[] sound = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(sound, sound.length / 2));
      assertSays(1, List.of(out.toString()), eval);
      Files.delete(file);
      assertSays(1, List.of(name), eval);
      Files.write(file, sound);
    }
    assertSays(2, List.of("temperature", "-1"), "eval", "pretrain", "--temperature=-1");
  }
}
