import { Course } from "./course.js";
import { CAMPAIGN, ORIGIN } from "./settings.js";

App({
  course: new Course(wx, ORIGIN),
  onLaunch() {
    this.course.slug = CAMPAIGN;
  },
});
