package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.data.Rows;
import io.minimind.posttraining.PostTraining;
import io.minimind.runtime.Device;
import io.minimind.train.TrainingRun;
import io.minimind.verify.Verification;
import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Which types are public in the modules that train, and for what people need them. One more is one
 * more to learn, to document and to keep: it belongs into this list with a reason, or is not
 * public.
 */
class PublicTypesTest {

  private static final String ROOT = "io.minimind.";

  /** Of each module, known by one of its types; after a colon what people need for that. */
  private static final Map<Class<?>, String> PUBLIC =
      Map.of(
          TrainingRun.class,
          """
          to train: train.TrainingRun train.RunBuilder train.RunSettings train.TrainingSettings
          to hear of it: train.TrainingListener train.TrainingState train.TrainingHistory
          to take a model from it: train.TrainedModel
          a schedule of their own: train.LearningRateSchedule
          texts and conversations: task.Pretraining task.FineTuning
          a task of their own: task.Task train.Catalog
          batches that depend on the weights: task.BatchSource task.Batching
          what is known of samples beforehand: task.Preparation task.FrozenModel
          to publish: publish.PublishedModel publish.Publication
          """,
          Rows.class,
          """
          rows of their own: data.Rows data.RowReader data.Row data.MalformedRowException
          to encode them: data.SampleEncoder data.Sample data.Samples
          texts: data.PretrainingEncoder
          conversations: data.ChatEncoder data.Conversation data.Variation
          batches: data.Batch data.TokenShards data.EncodingProgress data.BatchOrder data.BatchLoader
          data sets of a hub: data.hub.DatasetHub data.hub.DatasetDownload
          to look at data and prepare it: data.CorpusStatistics data.CorpusTexts data.CorpusPreparation
          several processes: distributed.Membership distributed.ProcessGroup distributed.Wire
          """,
          Device.class,
          """
          where it computes: runtime.Device runtime.KernelSet runtime.OnnxRuntimeException
          a loop of their own: runtime.ModelBuilder runtime.ModelInTraining
          to ask the weights: runtime.SharedWeights runtime.LiveModel
          """,
          PostTraining.class,
          """
          to be found by runs: posttraining.PostTraining
          preferences: preference.PreferenceTuning preference.PreferenceObjective
          single answers: preference.KahnemanTverskyOptimization preference.KahnemanTverskyObjective
          what an answer is worth: preference.RewardModeling preference.RewardModel
          a teacher: distillation.Distillation distillation.DistillationObjective
          answers of a teacher: distillation.TeacherAnswers
          rewards: policy.GroupPolicyOptimization policy.PolicyObjective policy.RolloutSettings
          rewards of their own: policy.Reward policy.Answer
          a critic: policy.ProximalPolicyOptimization policy.ActorCriticObjective
          tools: agent.AgentTool agent.ToolBox policy.ToolCases
          as Python: agent.PythonJson agent.PythonText
          """,
          Verification.class,
          """
          to compare with reference numbers: verify.Verification verify.Case
          """);

  private static Set<String> types(Class<?> ofModule, boolean areThosePublic)
      throws IOException, URISyntaxException {
    Path classes = Path.of(ofModule.getProtectionDomain().getCodeSource().getLocation().toURI());
    if (Files.isDirectory(classes)) {
      return types(classes, areThosePublic);
    }
    try (FileSystem jar = FileSystems.newFileSystem(classes)) {
      return types(jar.getPath("/"), areThosePublic);
    }
  }

  private static Set<String> types(Path classes, boolean areThosePublic) throws IOException {
    try (Stream<Path> files = Files.walk(classes)) {
      return files
          .map(file -> classes.relativize(file).toString().replace('\\', '/'))
          .filter(file -> file.matches("[^$-]*\\.class"))
          .map(file -> file.replace(".class", "").replace('/', '.'))
          .filter(name -> Modifier.isPublic(load(name).getModifiers()) == areThosePublic)
          .map(name -> name.substring(ROOT.length()))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static Set<String> typesOfAllModules(boolean areThosePublic) throws Exception {
    Set<String> all = new TreeSet<>();
    for (Class<?> module : PUBLIC.keySet()) {
      all.addAll(types(module, areThosePublic));
    }
    return all;
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name, false, PublicTypesTest.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void thePublicTypesAreThese() throws Exception {
    for (Map.Entry<Class<?>, String> module : PUBLIC.entrySet()) {
      Set<String> listed =
          Pattern.compile("[a-z.]+\\.[A-Z]\\w+")
              .matcher(module.getValue())
              .results()
              .map(MatchResult::group)
              .collect(Collectors.toCollection(TreeSet::new));
      assertEquals(listed, types(module.getKey(), true));
    }
  }

  @Test
  void noneOfThemSpeaksOfOneThatIsHidden() throws Exception {
    Set<String> hidden = typesOfAllModules(false);
    assertTrue(hidden.contains("train.Trainer"), hidden::toString);
    Set<String> spoken = new TreeSet<>();
    for (String type : typesOfAllModules(true)) {
      signatures(load(ROOT + type))
          .filter(signature -> hidden.stream().anyMatch(name -> names(signature, name)))
          .forEach(spoken::add);
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
}
