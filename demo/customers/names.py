"""The words that make up the names of the demo's companies and people."""

FIRST_NAMES = tuple(
    "Ada Aisha Alba Amara Amir Ana Anders Anika Arjun Astrid Aylin Beatriz Bilal Camille Carlos"
    " Chiara Chloe Daan Daniel Diego Elena Elif Emeka Emil Emma Erik Esther Fatima Felix Fiona"
    " Freya Gabriel Giulia Grace Hana Hannah Hugo Ibrahim Ines Ingrid Isaac Ivan Jakub James"
    " Jana Javier Jonas Julia Kai Karim Katrin Kenji Lara Lars Leila Liam Lina Louis Lucia Luka"
    " Maja Malik Marco Maria Mateo Matilda Maya Mei Mia Milan Mina Nadia Naomi Nikolai Nina Noah"
    " Nora Olivia Omar Oscar Paula Pedro Petra Priya Rafael Rahul Rosa Ruth Sami Sara Sebastian"
    " Sofia Stefan Svea Tariq Teresa Thomas Tobias Vera Victor Wei Yara Yuki Zoe".split()
)
LAST_NAMES = tuple(
    "Abbott Adeyemi Almeida Andersen Aydin Bakker Baumann Bianchi Bergström Carvalho Castillo Chen"
    " Costa Dahl Demir Dubois Eriksen Farouk Ferrari Fischer Fontaine Garcia Grant Haddad Hansen"
    " Hoffmann Horvat Ibarra Ivanova Jensen Johansson Kaya Keller Khan Kim Kovacs Kowalski Kumar"
    " Larsen Laurent Lindqvist Lopez Marchetti Marin Mbeki Meyer Molina Moreau Murphy Nakamura"
    " Nguyen Nielsen Novak Okafor Olsen Ortiz Park Patel Petrov Pereira Quinn Ramos Rao Reyes"
    " Ricci Rossi Russo Saito Santos Schmidt Schneider Sharma Silva Singh Solberg Sokolov Suzuki"
    " Takahashi Tan Torres Vargas Varga Vos Walker Weber Wilson Winter Wright Yamamoto Yilmaz"
    " Young Zhang Zimmermann".split()
)
TITLES = (
    "Analyst", "Head of Operations", "Finance Manager", "Data Analyst", "Controller",
    "Operations Manager", "Product Manager", "Team Lead", "Marketing Manager", "Account Manager",
    "Planner", "Chief of Staff",
)  # fmt: skip
STEMS = tuple(
    "Alder Amber Anchor Arbor Arrow Aspen Atlas Aurora Basalt Beacon Birch Bluebird Bramble"
    " Bright Canyon Cascade Cedar Cinder Clover Cobalt Compass Copper Coral Crescent Cypress Delta"
    " Drift Dune Eastgate Echo Elm Ember Everly Fable Falcon Fern Fieldstone Firefly Flint"
    " Foxglove Garnet Glacier Granite Greenway Grove Harbor Hawthorn Hazel Heron Highland Horizon"
    " Indigo Iron Ivory Ivy Jasper Juniper Keystone Kestrel Lantern Larch Lark Laurel Linden"
    " Lighthouse Lumen Lunar Maple Meadow Meridian Mistral Monarch Moss Nimbus Northbank Oak"
    " Oakridge Ochre Onyx Opal Orchard Osprey Otter Pebble Pine Pioneer Quarry Quill Raven Redwood"
    " Ridge Riverbend Rowan Saffron Sage Sequoia Silver Sparrow Summit Sycamore Tamarack Thistle"
    " Tidewater Timber Topaz Trellis Umber Valley Verdant Vista Walnut Westbrook Willow Wren"
    " Zephyr".split()
)
SUFFIXES = {
    "Logistics": ("Logistics", "Freight", "Shipping", "Supply", "Couriers"),
    "Healthcare": ("Health", "Clinics", "Diagnostics", "Care", "Therapeutics"),
    "Software": ("Software", "Labs", "Systems", "Cloud", "Apps"),
    "Retail": ("Market", "Outfitters", "Home", "Goods", "Stores"),
    "Education": ("Academy", "Learning", "College", "Education", "Schools"),
    "Finance": ("Capital", "Insurance", "Credit Union", "Advisory", "Payments"),
    "Manufacturing": ("Works", "Components", "Industries", "Tooling", "Foundry"),
    "Media": ("Media", "Studios", "Publishing", "Creative", "Press"),
}
"""The last words of company names in an industry."""

OWNERS = (
    "maya.lindqvist", "tobias.keller", "priya.rao", "daniel.okafor", "sofia.marchetti",
    "james.quinn", "lucia.ortiz", "hana.saito",
)  # fmt: skip
OWNERS_DOMAIN = "brightdesk.example"
"""The domain of their emails, reserved for examples."""
