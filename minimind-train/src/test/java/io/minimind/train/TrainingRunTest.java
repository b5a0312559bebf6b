package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.data.Rows;
import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.files.JavaProcess;
import io.minimind.files.JavaProcess.Result;
import io.minimind.model.ModelConfig;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import program.ListRows;
import program.TrainFromJava;
import program.TrainOnRows;

/** Runs as programs make them. Those in the package {@code program} are what a person writes. */
@Timeout(300)
class TrainingRunTest {

  @TempDir static Path shared;

  @TempDir Path folder;

  private static List<String> texts;

  @BeforeAll
  static void writeTokenizerAndCorpus() throws Exception {
    texts = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      texts.add("once there was a %s in %s".formatted(i % 2 == 0 ? "river" : "harbour", i));
    }
    ByteLevelBpeTrainer.ofSize(300).train(texts.iterator()).save(shared);
    Files.writeString(shared.resolve("corpus.csv"), "text\n" + String.join("\n", texts));
    Files.write(shared.resolve("texts"), texts);
    try (Connection connection = DriverManager.getConnection(url())) {
      connection
          .createStatement()
          .execute("create table stories (id int, text varchar, changed varchar)");
      for (int i = 0; i < texts.size(); i++) {
        insert(connection, i, texts.get(i));
      }
    }
  }

  private static String url() {
    return "jdbc:h2:" + shared.resolve("database").toAbsolutePath();
  }

  private static void insert(Connection connection, int id, String text) throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement("insert into stories values (?, ?, '2026')")) {
      insert.setInt(1, id);
      insert.setString(2, text);
      insert.execute();
    }
  }

  private RunBuilder run() {
    return TrainOnRows.run(new ListRows(texts), shared, folder.resolve("run"));
  }

  // Programs

  @Test
  void aProgramOfFifteenLinesTrainsValidatesExportsAndSamples() throws IOException {
    assertThrows(
        ClassNotFoundException.class, () -> Class.forName("io.minimind.examples.MiniMind"));
    assertFalse(TrainFromJava.train(shared, folder).isEmpty());
    Path run = folder.resolve("run");
    assertTrue(Files.readString(run.resolve("metrics.jsonl")).contains("validation_loss"));
    assertTrue(Files.exists(run.resolve("loss.svg")));
    assertTrue(TrainedModel.of(run).history().stages().get(0).state().update() > 0);

    List<String> source =
        Files.readAllLines(Path.of("src/test/java/program/TrainFromJava.java")).stream()
            .dropWhile(line -> !line.contains("String train("))
            .takeWhile(line -> !line.equals("  }"))
            .toList();
    assertTrue(source.size() - 1 <= 15, "lines of the program: " + (source.size() - 1));
  }

  /** Killed without a chance to do anything about it, wherever it is, it ends as if it was not. */
  @ParameterizedTest
  @ValueSource(strings = {"list", "table"})
  void rowsOfAProgramAreLearntToTheByteAlsoAfterKills(String kind) throws Exception {
    String rows = kind.equals("list") ? shared.resolve("texts").toString() : url();
    Path whole = folder.resolve("whole");
    Result result = program(rows, whole).run();
    assertEquals(0, result.status(), result.output());
    Path killed = folder.resolve("killed");
    KilledRun.run(program(rows, killed), killed, KilledRun.update(whole), 4, 16);
    assertArrayEquals(
        Files.readAllBytes(whole.resolve("model.safetensors")),
        Files.readAllBytes(killed.resolve("model.safetensors")));
  }

  private static JavaProcess program(String rows, Path out) {
    return JavaProcess.of(TrainOnRows.class, rows, shared, out)
        .with("-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED");
  }

  // What is given when a run goes on

  /** A run that is interrupted; how many updates it made. */
  private long begin() throws IOException {
    AtomicInteger asked = new AtomicInteger();
    try (TrainingRun run = run().create()) {
      assertFalse(run.train(() -> asked.incrementAndGet() > 8));
      return run.state().update();
    }
  }

  private static void assertRefused(String words, Executable opening) {
    IOException e = assertThrows(InputException.class, opening);
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @Test
  void aRunGoesOnWithWhatItBeganWith() throws IOException {
    long updates = begin();
    assertTrue(updates > 0);
    assertRefused(
        "batchSize was 4, and is 8 now",
        () ->
            run()
                .settings(
                    s ->
                        s.epochs(12).batchSize(8).learningRate(2e-3f).saveEvery(2).validateEvery(5))
                .open());
    assertRefused("validationFraction was 0.1, and is 0.2 now", () -> run().validation(0.2).open());
    assertRefused(
        "hidden_size was 32, and is 128 now",
        () -> run().model(ModelConfig.Preset.TINY, 32).open());
    assertRefused("already holds a run", () -> run().create());
    List<String> changed = new ArrayList<>(texts);
    changed.set(7, "another story");
    assertRefused(
        "a list does not hold the rows that the run began with",
        () -> run().rows(new ListRows(changed)).open());
    assertRefused("a list now has", () -> run().rows(new ListRows(texts.subList(0, 50))).open());
    RunBuilder known = TrainingRun.builder().folder(folder.resolve("run"));
    assertRefused("\"a list\", which are of no file: give them again", known::open);
    assertRefused(
        "began without rows to validate on",
        () -> known.rows(new ListRows(texts)).validation(new ListRows(texts)).resume());
    // The same rows, wherever they are now.
    Rows moved = Rows.of(shared.resolve("corpus.csv"));
    try (TrainingRun run = TrainingRun.builder().folder(folder.resolve("run")).rows(moved).open()) {
      assertEquals(updates, run.state().update());
      assertEquals(moved.name(), run.settings().data());
      assertRefused("Another run is writing to", () -> run().open());
    }
  }

  @Test
  void whatARunNeedsIsNamed() {
    assertNeeds("folder", TrainingRun.builder());
    assertNeeds("corpus of rows", run().rows(null));
    assertNeeds("task", run().task(null));
    assertNeeds("tokenizer", run().tokenizer(null));
    ArgumentException e = assertThrows(ArgumentException.class, () -> run().from(folder).open());
    assertTrue(e.getMessage().contains("give one or the other"), e.getMessage());
    assertFalse(Files.exists(folder.resolve("run")), "nothing is made for a run that cannot start");
  }

  @Test
  void aModelThatKnowsFewerTokensThanItsTokenizerIsRefused() {
    assertRefused(
        "tokens, but the model is to know only 7",
        () -> run().model(ModelConfig.Preset.TINY.config(7, 32)).open());
  }

  private static void assertNeeds(String part, RunBuilder builder) {
    ArgumentException e = assertThrows(ArgumentException.class, builder::open);
    assertEquals("A run needs a " + part + ": give it to the builder.", e.getMessage());
  }

  // Events

  /** Each listener is told everything, whichever comes first. */
  private static final class Recorder implements TrainingListener {
    private final List<String> events = new ArrayList<>();

    @Override
    public void encoding(Encoding encoding) {
      note("encoding " + encoding.corpus());
    }

    @Override
    public void encoded(Corpus corpus) {
      note("encoded " + corpus.rows());
    }

    @Override
    public void started(TrainingSettings settings, long batchesPerEpoch, TrainingState from) {
      note("started " + from.update());
    }

    @Override
    public void updated(Update update) {
      note("updated " + update.state().update());
    }

    @Override
    public void validated(TrainingState state, Map<String, Double> metrics) {
      note("validated " + state.update());
    }

    @Override
    public void saved(TrainingState state, Path checkpoint) {
      note("saved " + state.update());
    }

    @Override
    public void exported(TrainingState state, Path model) {
      assertTrue(Files.exists(model.resolve("model.safetensors")));
      note("exported " + state.update());
    }

    @Override
    public void sampled(TrainingState state, List<Sample> samples) {
      assertEquals(List.of("once", "there"), samples.stream().map(Sample::prompt).toList());
      note("sampled " + state.update());
    }

    @Override
    public void finished(TrainingState state, boolean complete) {
      note((complete ? "complete " : "interrupted ") + state.update());
    }

    private void note(String event) {
      if (events.isEmpty() || !events.get(events.size() - 1).equals(event)) {
        events.add(event);
      }
    }
  }

  @Test
  void listenersAreToldOfEverythingInTheOrderInWhichItHappens() throws IOException {
    Recorder early = new Recorder();
    Recorder late = new Recorder();
    try (TrainingRun run =
        run()
            .settings(s -> s.batchSize(4).maxUpdates(3).saveEvery(2).validateEvery(2))
            .prompts(List.of("once", "there"))
            .listener(early)
            .open()) {
      assertTrue(run.train(late));
    }
    List<String> training =
        List.of(
            "started 0",
            "updated 1",
            "updated 2",
            "validated 2",
            "exported 2",
            "sampled 2",
            "saved 2",
            "updated 3",
            "validated 3",
            "exported 3",
            "sampled 3",
            "saved 3",
            "complete 3");
    assertEquals(training, each(late.events));
    List<String> all = new ArrayList<>(List.of("encoding a list", "encoded 60"));
    all.addAll(training);
    assertEquals(all, each(early.events));
    assertTrue(
        Files.readString(folder.resolve("run/samples.txt")).startsWith("After 2 updates\nonce|"));
  }

  /** As it is; each event comes once. */
  private static List<String> each(List<String> events) {
    assertEquals(events.size(), events.stream().distinct().count());
    return events;
  }
}
