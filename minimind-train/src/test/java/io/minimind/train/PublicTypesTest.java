package io.minimind.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.annotation.Internal;
import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Which types of this module are for people. One more is one more to learn, to document and to
 * keep: it belongs into this list with a reason, or is not public, or is {@link Internal}.
 */
class PublicTypesTest {

  private static final String ROOT = "io.minimind.";

  /** After a colon what people need for that. */
  private static final String FOR_PEOPLE =
      """
      to train: train.TrainingRun train.RunBuilder train.RunSettings train.TrainingSettings
      to hear of it: train.TrainingListener train.TrainingState train.LossScale
      to take a model from it: train.TrainedModel
      rows of their own: data.Rows data.RowReader data.Row data.MalformedRowException
      a task of their own: task.Task train.Catalog data.SampleEncoder data.Sample data.Samples
      a schedule of their own: train.LearningRateSchedule
      where it computes: runtime.Device runtime.OnnxRuntimeException

      how a device is used: runtime.CpuSettings runtime.CudaSettings runtime.KernelSet
      several processes: distributed.Membership distributed.ProcessGroup distributed.Wire
      texts: task.Tasks task.Pretraining data.PretrainingEncoder
      conversations: task.FineTuning data.ChatEncoder data.Conversation data.Variation
      batches that depend on the weights: task.BatchSource task.Batching data.Batch
      to ask the weights: runtime.ModelInTraining runtime.SharedWeights train.LiveModel
      a loop of their own: runtime.ModelBuilder
      what is known of samples beforehand: task.Preparation data.AddedColumns train.FrozenModel
      preferences: preference.PreferenceTuning preference.PreferenceObjective
      single answers: preference.KahnemanTverskyOptimization preference.KahnemanTverskyObjective
      what an answer is worth: preference.RewardModeling preference.RewardModel
      a teacher: distillation.Distillation distillation.DistillationObjective
      answers of a teacher: distillation.TeacherAnswers
      rewards: policy.GroupPolicyOptimization policy.PolicyObjective policy.RolloutSettings
      rewards of their own: policy.Reward policy.Answer
      a critic: policy.ProximalPolicyOptimization policy.ActorCriticObjective
      tools: agent.AgentTool agent.MockTools agent.PythonJson policy.ToolCases
      data sets of a hub: data.hub.DatasetHub data.hub.DatasetDownload
      to look at data and prepare it: data.CorpusStatistics data.CorpusTexts data.CorpusPreparation
      to publish: publish.PublishedModel publish.Publication train.TrainingHistory train.CorpusFacts
      to compare with reference numbers: verify.Verification verify.Case
      what is for nobody: annotation.Internal
      """;

  /** They measure the parts that nobody else sees. */
  private static final Set<String> BENCHMARKS =
      Set.of("BenchmarkTraining.java", "BenchmarkRollouts.java");

  private static final Path PROJECT = Path.of("").toAbsolutePath().getParent();

  private static List<Class<?>> publicTypes() throws IOException, URISyntaxException {
    Path classes =
        Path.of(TrainingRun.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    try (Stream<Path> files = Files.walk(classes)) {
      return files
          .map(file -> classes.relativize(file).toString().replace('\\', '/'))
          .filter(file -> file.matches("[^$-]*\\.class"))
          .<Class<?>>map(file -> load(file.replace(".class", "").replace('/', '.')))
          .filter(type -> Modifier.isPublic(type.getModifiers()))
          .toList();
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name, false, PublicTypesTest.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  private static Set<String> names(boolean internal) throws IOException, URISyntaxException {
    return publicTypes().stream()
        .filter(type -> type.isAnnotationPresent(Internal.class) == internal)
        .map(type -> type.getName().substring(ROOT.length()))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void theTypesForPeopleAreThese() throws Exception {
    Set<String> listed =
        Pattern.compile("[a-z.]+\\.[A-Z]\\w+")
            .matcher(FOR_PEOPLE)
            .results()
            .map(MatchResult::group)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(listed, names(false));
  }

  @Test
  void noneOfThemSpeaksOfOneThatIsInternal() throws Exception {
    Set<String> internal = names(true);
    assertTrue(internal.contains("data.TokenShards"), internal::toString);
    Set<String> spoken = new TreeSet<>();
    for (Class<?> type : publicTypes()) {
      if (!type.isAnnotationPresent(Internal.class)) {
        signatures(type)
            .filter(signature -> internal.stream().anyMatch(name -> names(signature, name)))
            .forEach(spoken::add);
      }
    }
    assertEquals(Set.of(), spoken);
  }

  private static boolean names(String signature, String type) {
    return Pattern.compile("\\b" + Pattern.quote(ROOT + type) + "\\b").matcher(signature).find();
  }

  private static Stream<String> signatures(Class<?> type) {
    Stream<String> own =
        Stream.<Member[]>of(
                type.getDeclaredConstructors(), type.getDeclaredMethods(), type.getDeclaredFields())
            .flatMap(Stream::of)
            .filter(member -> (member.getModifiers() & (Modifier.PUBLIC | Modifier.PROTECTED)) != 0)
            .map(
                member ->
                    member instanceof Executable executable
                        ? executable.toGenericString()
                        : ((Field) member).toGenericString());
    Stream<String> nested =
        Stream.of(type.getDeclaredClasses())
            .filter(inner -> Modifier.isPublic(inner.getModifiers()))
            .flatMap(PublicTypesTest::signatures);
    return Stream.concat(own, nested);
  }

  @Test
  void commandsProgramsAndTutorialsNeedNoneThatIsInternal() throws Exception {
    Set<String> internal = names(true);
    Map<Boolean, Set<String>> uses =
        readers()
            .flatMap(file -> internal.stream().filter(name -> uses(file, name)).map(n -> file))
            .map(file -> file.getFileName().toString())
            .collect(
                Collectors.partitioningBy(
                    BENCHMARKS::contains, Collectors.toCollection(TreeSet::new)));
    assertEquals(Set.of(), uses.get(false));
    assertEquals(BENCHMARKS, uses.get(true));
  }

  private static Stream<Path> readers() throws IOException {
    List<Path> found = new ArrayList<>();
    for (String folder :
        List.of("examples/src/main", "minimind-train/src/test/java/program", "docs/tutorials")) {
      try (Stream<Path> files = Files.walk(PROJECT.resolve(folder))) {
        files.filter(file -> file.toString().matches(".*\\.(java|md)")).forEach(found::add);
      }
    }
    return found.stream();
  }

  /** By an import, or in a tutorial by its name in a piece of code. */
  private static boolean uses(Path file, String type) {
    try {
      String text = Files.readString(file);
      if (file.toString().endsWith(".java")) {
        return text.contains("import " + ROOT + type + ";");
      }
      String name = type.substring(type.lastIndexOf('.') + 1);
      return Pattern.compile("(?s)```java\\n(.*?)```")
          .matcher(text)
          .results()
          .anyMatch(code -> code.group(1).matches("(?s).*\\b" + name + "\\b.*"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
